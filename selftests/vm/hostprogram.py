# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""Programs of the host that are more than one file, for the test guest."""

import os
import shutil
import subprocess

from common import Failure, tool_environment

# What of Python's library no test needs.
LEFT_OUT = ("__pycache__", "distutils", "ensurepip", "idlelib", "lib2to3",
            "pydoc_data", "test", "tkinter", "turtledemo")


def which(name):
    path = shutil.which(name, path=tool_environment()["PATH"])
    if not path:
        raise Failure("there is no program " + name)
    return path


def files_below(folder, left_out=()):
    """All regular files and what links to them, as absolute paths."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in left_out
                      and not name.startswith("config-")]
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path):
                yield path


def python():
    program = which("python3")
    library = subprocess.run(
        [program, "-c", "import sysconfig;print(sysconfig.get_path('stdlib'))"],
        check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    return {"python3": program}, files_below(library, LEFT_OUT)


def qemu():
    program = which("qemu-system-x86_64")
    data = [path for folder in ("/usr/share/qemu", "/usr/share/seabios")
            for path in files_below(folder) if path.endswith((".bin", ".rom"))]
    return {"qemu-system-x86_64": program}, data


def single(name):
    """One that needs nothing but libraries."""
    return lambda: ({name: which(name)}, ())


PROGRAMS = {"bpftrace": single("bpftrace"), "fio": single("fio"),
            "python": python, "qemu": qemu, "trace-cmd": single("trace-cmd")}


def add(tree, name):
    """Adds what belongs to a program, at the places the host has it."""
    programs, files = PROGRAMS[name]()
    for name, path in programs.items():
        tree.add_program(path, "usr/bin/" + name)
    for path in files:
        tree.add(path, path)
