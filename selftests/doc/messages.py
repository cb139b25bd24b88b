#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""usage: messages.py [--list]

Compares the messages in the sources with Documentation/troubleshooting.rst: each
has to be there, and each that is there has to be in a source. Prints what is
missing, or with --list all messages.

A message is a string that is formatted by one of MESSAGE; or one of several words
that may become part of such: an argument, a choice, a value that is returned. An
entry shows it with something in place of each conversion. Where nothing is left
without the conversions, as of "%s: %s", the entry has words in capitals for them.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("lib", "cli", "shim", "bench", "emulator")
PAGE = ROOT / "Documentation/troubleshooting.rst"

MESSAGE = {"message", "dprintf", "err", "errx", "warn", "warnx", "image_fail",
           "image_fail_file", "stream_fail"}
# What these are given is shown elsewhere, or looked for in a file.
OUTPUT = {"printf", "puts", "fputs", "fprintf", "fopen", "popen", "memcpy",
          "sscanf", "fscanf", "strncmp", "strstr", "asprintf", "find_value",
          "static_assert", "_Static_assert", "__attribute__", "work_begin",
          "table_add", "head", "metric", "metric_seconds"}
# These are given the name of what they read: PART in the page.
PART = {"image_read", "json_parse", "get_u8", "get_u32", "get_be16", "get_be32",
        "get_be64", "get_name", "get_bytes", "get_message", "get_numbers",
        "check_u32"}
# Progress.
NO_MESSAGES = {"%s of %s, %.2f GB/s", "%zu running, %s",
               "; in all %u jobs, %s, %u failed"}

TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])+'|^#[^\n]*\"[^\n]*|"
                   r"(?P<string>\"(?:\\.|[^\"\\])*\")|"
                   r"(?P<word>\w+)|(?P<mark>[][(){};,=?:.])", re.S | re.M)
CONVERSION = re.compile(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?"
                        r"(?:hh|h|ll|l|j|z|t)?[dioufxXcsp]")


def prepared(text):
    """C source with the values of macros that are strings."""
    for name, value in re.findall(r'^#define (\w+)[ \t]+"([^"\n]*)"$', text,
                                  re.M):
        text = re.sub(rf'(?<!define )\b{name}\b', f'"{value}"', text)
    text = re.sub(r'%"\s*PRI([a-z])\w+', r'%\1"', text)
    return re.sub(r'\bfprintf\(stderr,', 'dprintf(2,', text)


def tokens(text):
    """Words, marks and strings. Those that adjoin are one string, also across
    a macro, which is something."""
    string, macro = None, None
    for token in TOKEN.finditer(prepared(text)):
        if token["string"]:
            string = (string or "") + ("%s" if macro else "")
            string += token["string"][1:-1]
            macro = None
        elif string is not None and not macro and token["word"]:
            macro = token["word"]
        elif token["word"] or token["mark"]:
            if string is not None:
                yield "string", string
                string = None
            if macro:
                yield "word", macro
                macro = None
            yield ("word", token[0]) if token["word"] else ("mark", token[0])


def strings(text):
    """Yields (string, what it is in: names of calls or "=", whether it is the
    first in there)."""
    stack, seen, before = [], [False], ""
    for kind, token in tokens(text):
        if kind == "string":
            yield token, list(stack), not seen[-1]
            seen[-1] = True
        elif token in "({[":
            stack.append("=" if before == "=" else before)
            seen.append(False)
        elif token in ")}]" and stack:
            stack.pop()
            seen.pop()
        if kind != "string":
            before = token


def has_words(text):
    text = CONVERSION.sub("%", text)
    return re.search(r"[a-z]{2,} +[%a-z\\(]|% [a-z]{2,}|[A-Z]+ [A-Z]+", text)


def is_message(folder, text, stack, first):
    if text in NO_MESSAGES or "\\r" in text:
        return False
    calls = set(stack)
    if calls & MESSAGE:
        # Progress, too, is printed piece by piece.
        if first and stack[-1] in MESSAGE - {"dprintf"}:
            return True
    elif calls & (OUTPUT | PART) or "\\n" in text:
        return False
    elif "=" in stack and folder in ("cli", "bench"):
        return False
    return has_words(text)


def messages():
    """All messages, as they are in the source, with the name of the file."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / "user" / folder).glob("*.c")):
            for text, stack, first in strings(path.read_text()):
                if is_message(folder, text, stack, first):
                    found.setdefault(shown(text), f"{folder}/{path.name}")
    return found


def shown(text):
    text = text.replace("\\n", "").replace('\\"', '"').strip()
    return re.sub(r"^(ramload: |: )", "", text).removesuffix(":")


def pattern(text):
    """Matches an entry for the message."""
    rest = CONVERSION.split(text.replace("%%", "%"))
    words = "".join(rest)
    anything = ".*" if re.search("[a-z]", words) else "[A-Z]*"
    return re.compile(anything.join(map(re.escape, rest)))


def entries():
    """Terms of the glossary."""
    return [re.sub(r"\\(.)", r"\1", line.strip()[2:-2])
            for line in PAGE.read_text().splitlines()
            if re.fullmatch(r"   ``.*``", line)]


def main():
    known = messages()
    if sys.argv[1:] == ["--list"]:
        for text, where in known.items():
            print(f"{where}: {text}")
        return
    terms = entries()
    patterns = {text: pattern(text) for text in known}
    for text, where in known.items():
        if not any(patterns[text].fullmatch(term) for term in terms):
            print(f"{where}: not in {PAGE.name}: {text}")
    for term in terms:
        if not any(p.fullmatch(term) for p in patterns.values()):
            print(f"{PAGE.name}: nobody says: {term}")


if __name__ == "__main__":
    main()
