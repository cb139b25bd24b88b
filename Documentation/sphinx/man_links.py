# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""Manual pages: what Sphinx's man builder leaves to be done.

Each function of the library becomes a link to the page of its family. Two
requests are taken out that mandoc warns of: a vertical space at the start of a
section, which nobody shows, and a font of typesetters; and a word in front of each
constant.
"""
import re
from pathlib import Path


def tidy(text):
    text = re.sub(r"^(\.S[HS] .*\n)\.sp\n", r"\1", text, flags=re.M)
    text = re.sub(r"^\.ft [CP]\n", "", text, flags=re.M)
    text = re.sub(r"^(\.B )enumerator +", r"\1", text, flags=re.M)
    return re.sub(r"[ \t]+$", "", text, flags=re.M)


def functions(docname, domain):
    """Names of what the page describes as a C function."""
    return [name for name, _, kind, where, _, _ in domain.get_objects()
            if where == docname and kind == "function"]


def finish(app, exception):
    if exception or app.builder.name != "man":
        return
    domain = app.env.get_domain("c")
    for docname, name, _, _, section in app.config.man_pages:
        page = Path(app.outdir, f"man{section}", f"{name}.{section}")
        page.write_text(tidy(page.read_text(encoding="utf-8")),
                        encoding="utf-8")
        for function in functions(docname, domain):
            if function != name:
                link = page.with_name(f"{function}.{section}")
                link.unlink(missing_ok=True)
                link.symlink_to(page.name)


def setup(app):
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
