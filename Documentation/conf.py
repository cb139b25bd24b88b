# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
# Sphinx, which `make docs` and `make man` run
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "sphinx"))

MAKEFILE = (HERE.parent / "Makefile").read_text(encoding="utf-8")

project = "ramload"
author = ""
release = version = re.search(r"^VERSION := (\S+)", MAKEFILE, re.M)[1]
extensions = ["kernel_doc", "man_links"]
primary_domain = "c"
highlight_language = "none"
smartquotes = False

# Types of libc and of the kernel are described elsewhere.
nitpicky = True
nitpick_ignore_regex = [("c:identifier", r"(?!(tag\.)?ramload_).*")]

html_theme = "alabaster"
html_title = f"ramload {release}"
html_static_path = ["sphinx/static"]
html_css_files = ["ramload.css"]
html_show_copyright = False
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "description": "loads the RAM of virtual machines",
    "page_width": "65rem",
    "fixed_sidebar": True,
}


# man/NAME.SECTION.rst, whose title is "NAME(SECTION): what it is"
def man_page(path):
    name, section = path.stem.rsplit(".", 1)
    title = re.search(r"^=+\n(.*)\n=+$", path.read_text(encoding="utf-8"),
                      re.M)[1]
    return (f"man/{path.stem}", name, title.split("): ")[1], "", int(section))


man_make_section_directory = True
man_pages = [man_page(p) for p in sorted((HERE / "man").glob("*.rst"))]
today_fmt = "%Y-%m-%d"
