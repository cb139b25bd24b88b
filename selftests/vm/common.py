# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""Places and helpers of the test guest's scripts."""

import contextlib
import fcntl
import os
import subprocess
import sys

VM = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(VM))
BUILD = os.path.join(TOP, "build")


class Failure(Exception):
    """Something that keeps the guest from being started, for the user."""


def say(text):
    print("run:", text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def locked(name):
    """Holds a lock that keeps other runs out."""
    folder = os.path.join(BUILD, "locks")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def tool_environment():
    """A make above must not hand down its job server or its variables, and
    the tools of file systems are not on every user's PATH."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    environment["PATH"] += ":/usr/sbin:/sbin"
    return environment


def run_tool(*command, quiet=False):
    """Runs a program whose output is no part of our own: it goes to stderr,
    or with quiet only if the program fails."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE if quiet else sys.stderr,
                            stderr=subprocess.STDOUT if quiet else None,
                            env=tool_environment())
    if result.returncode:
        if quiet:
            sys.stderr.buffer.write(result.stdout)
        raise Failure("%s failed" % os.path.basename(command[0]))


def tool_output(*command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True,
                            env=tool_environment())
    return result.stdout
