# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""Finds in a kernel log what must make a test fail."""

import os
import re

COMPLAINTS = re.compile("|".join((
    r"\bWARNING: ", r"\bBUG: ", r"\bkernel BUG at\b", r"\bOops\b",
    r": \d{4} \[#\d+\]", r"\bKernel panic\b", r"\bunable to handle\b",
    r"\bgeneral protection fault[,:]",
    r"\b(KASAN|KCSAN|KMSAN|KFENCE|UBSAN): ",
    r"\bINFO: task .* blocked\b", r"\bINFO: trying to register\b",
    r"\bINFO: possible\b", r"\brcu: INFO: ", r"\bdetected stalls?\b",
    r"\bself-detected stall\b",
    r"\bsleeping function called\b", r"\bscheduling while atomic\b",
    r"\brefcount_t: ", r"\bpossible (recursive|circular|irq) lock",
    r"\bpossible .*lock.*detected\b", r"\binconsistent lock state\b",
    r"\bbad unlock balance\b", r"\bheld lock freed\b",
    r"\block held when returning\b", r"\bsuspicious RCU usage\b",
    r"\bBad (page state|page map|rss-counter)\b",
    r"\blist_(add|del) corruption\b", r"\bObjects remaining in\b",
    r"\bstack-protector: ", r"\bkmemleak: \d+ new\b",
)))

BEFORE = 3
AFTER = 60


def read_lines(path):
    """Lines of a log, none if QEMU never came to write it."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        return file.read().replace("\r", "").split("\n")


def complaint(path):
    """The part of the log around the first complaint, or None."""
    lines = read_lines(path)
    for number, line in enumerate(lines):
        if COMPLAINTS.search(line):
            return "\n".join(lines[max(0, number - BEFORE):number + AFTER])
    return None


def tail(path, count=40):
    return "\n".join(read_lines(path)[-count:])
