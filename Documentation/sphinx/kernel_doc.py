# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""The directive kernel-doc: a page shows comments of C files.

    .. kernel-doc:: include/ramload.h
       :doc: libramload

    .. kernel-doc:: include/ramload.h
       :identifiers: ramload_load ramload_block

    .. kernel-doc:: include/ramload.h
       :prototypes: ramload_load

The last has the prototypes of functions alone, for a synopsis. Paths are those of the repository. It reads the comments itself: so pages are
built without the kernel's source, short comments of one line are shown like
others, and functions, members and constants become objects of Sphinx's C
domain, to which text can refer. Names of structs and enums, which in C may be those of
functions, too, are in a namespace "tag" there. Whether comments are written as they have to be
is for the kernel's scripts/kernel-doc to say, which selftests/static_test runs.
"""
import re
import textwrap
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

TAG_KINDS = ("struct", "enum", "union")
ROOT = Path(__file__).resolve().parents[2]

COMMENT = re.compile(r"^/\*\*(?:[ \t]+(?P<line>\S.*?)[ \t]*\*/|[ \t]*\n"
                     r"(?P<body>.*?)[ \t]*\*/)[ \t]*\n", re.M | re.S)
HEAD = re.compile(r"(?:(?P<kind>struct|enum|union) )?(?P<name>\w+)(?:\(\))?"
                  r" - (?P<short>.*)", re.S)
PARAMETER = re.compile(r"@(\w+|\.\.\.):\s*(.*)")
SECTION = re.compile(r"(Context|Return):\s*(.*)")
DECLARATOR = re.compile(r"\(\*\s*(\w+)\)|(\w+)\s*(?:\[[^]]*\]\s*)*(?:=.*)?$")


class Comment:
    """A comment and what it is about.

    doc: title of a DOC block, else None. name, kind, short, text (a list of
    lines), parameters and sections (such lists by name) are those of others.
    """

    def __init__(self, lines, code, number):
        self.number = number
        self.code = code
        self.doc = self.name = self.kind = None
        self.parameters, self.text = {}, []
        self.sections = {"Context": [], "Return": []}
        if lines and lines[0].startswith("DOC: "):
            self.doc = lines[0][5:].strip()
            self.text = lines[1:]
            return
        head = []
        while lines and lines[0].strip() and not PARAMETER.match(lines[0]):
            head.append(lines.pop(0))
        match = HEAD.match("\n".join(head))
        if match:
            self.name, self.kind = match["name"], match["kind"]
            self.short = " ".join(match["short"].split())
            self.sort(lines)

    def sort(self, lines):
        """Divide what follows the head. A blank line ends a parameter."""
        part, is_parameter = self.text, False
        for line in lines:
            parameter, section = PARAMETER.match(line), SECTION.match(line)
            if parameter:
                part, is_parameter = [], True
                self.parameters[parameter[1]] = part
                line = parameter[2]
            elif section:
                part, is_parameter = self.sections[section[1]], False
                line = section[2]
            elif is_parameter and not line.strip():
                part, is_parameter = self.text, False
            part.append(line.strip() if is_parameter else line)


def comments(text):
    for match in COMMENT.finditer(text):
        if match["line"]:
            lines = [match["line"]]
        else:
            lines = [re.sub(r"^ \* ?", "", line).rstrip()
                     for line in match["body"].split("\n")]
        yield Comment(lines, text[match.end():],
                      text.count("\n", 0, match.start()) + 1)


def prototype(code):
    code = re.split("[;{]", code, maxsplit=1)[0]
    code = re.sub(r"\b(RAMLOAD_(STAT_)?API|static|inline)\b", "", code)
    return " ".join(code.split()).replace("* ", "*")


def wrapped(code):
    """Lines that end behind commas, or before the name of the function."""
    name, parameters = code.split("(", 1)
    parameters = parameters.replace(" ", "\0").replace(",\0", ", ")
    lines = textwrap.wrap(f"{name}({parameters}", 72, break_long_words=False,
                          subsequent_indent=" " * 8)
    return [line.replace("\0", " ") for line in lines]


def members(code, separator):
    """What is declared between the braces, by its name."""
    body = code[code.index("{") + 1:code.index("\n}")]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    found = {}
    for declaration in body.split(separator):
        declaration = " ".join(declaration.split())
        match = DECLARATOR.search(declaration)
        if match:
            found[match[1] or match[2]] = declaration
    return found


def marked(line):
    """A line as reStructuredText: names become literals or references."""
    line = re.sub(r"@(\w+)", r"``\1``", line)
    line = re.sub(r"(?<![\w`])(ramload_\w+)\(\)", r":c:func:`\1`", line)
    line = re.sub(r"\b(struct|enum) (ramload_\w+)\b(?!`)",
                  r":c:\1:`\1 \2 <tag.\2>`", line)
    return re.sub(r"(?<=\w)_(?![\w`*])", r"\\_", line)


def indented(lines, by=4):
    return [" " * by + line if line else "" for line in lines]


def definition(name, lines):
    return [f"``{name}``"] + indented(lines) + [""]


def described(comment):
    """A comment as lines of reStructuredText."""
    if comment.doc:
        return [marked(line) for line in comment.text]
    parameters = {name: [marked(line) for line in lines]
                  for name, lines in comment.parameters.items()}
    text = [marked(line) for line in comment.text]
    sections = []
    for name, lines in comment.sections.items():
        if lines:
            lines = [f"**{name}:** {lines[0]}"] + lines[1:] + [""]
        sections += [marked(line) for line in lines]
    body = [marked(comment.short), ""]
    if comment.kind:
        role, separator = (("enumerator", ",") if comment.kind == "enum"
                           else ("member", ";"))
        known = members(comment.code, separator)
        head = f".. c:{comment.kind}:: {comment.name}"
        body += text + [""]
        for name, lines in parameters.items():
            body += [f".. c:{role}:: {known[name]}", ""]
            body += indented(lines) + [""]
    else:
        head = f".. c:function:: {prototype(comment.code)}"
        for name, lines in parameters.items():
            body += definition(name, lines)
        body += text + [""]
    lines = [head, ""] + indented(body + sections) + [""]
    if comment.kind:
        lines = [".. c:namespace-push:: tag", ""] + lines + [
            ".. c:namespace-pop::", ""]
    return lines


def refer_to_tags(app, doctree):
    """What follows struct or enum in a declaration is a tag."""
    for name in doctree.findall(addnodes.pending_xref):
        before = name.parent[max(name.parent.index(name) - 2, 0)].astext()
        if name.get("reftype") == "identifier" and before in TAG_KINDS:
            name["reftarget"] = "tag." + name["reftarget"]


class KernelDoc(SphinxDirective):
    required_arguments = 1
    option_spec = {
        "doc": directives.unchanged_required,
        "identifiers": directives.unchanged_required,
        "prototypes": directives.unchanged_required,
    }

    def wanted(self, known):
        """What the options name, and the names. A struct and a function may
        have the same."""
        if "doc" in self.options:
            title = self.options["doc"]
            return [c for c in known if c.doc == title], [title]
        names = self.options.get("identifiers", "").split()
        names += self.options.get("prototypes", "").split()
        return [c for name in names for c in known if c.name == name], names

    def run(self):
        path = ROOT / self.arguments[0]
        self.env.note_dependency(str(path))
        self.env.note_dependency(__file__)
        try:
            known = list(comments(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise self.error(str(error))
        found, names = self.wanted(known)
        missing = set(names) - {c.doc or c.name for c in found}
        if missing or not names:
            raise self.error(f'{path} lacks {missing or "names to look for"}')
        content = StringList()
        if "prototypes" in self.options:
            found = [c for c in found if not c.kind]
            content.append(StringList(["::", ""], str(path)))
        for comment in found:
            if "prototypes" in self.options:
                lines = indented(wrapped(prototype(comment.code) + ";"))
            else:
                lines = described(comment) + [""]
            for line in lines:
                content.append(line, str(path), comment.number)
        node = nodes.section()
        node.document = self.state.document
        nested_parse_with_titles(self.state, content, node)
        return node.children


def setup(app):
    app.add_directive("kernel-doc", KernelDoc)
    app.connect("doctree-read", refer_to_tags)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
