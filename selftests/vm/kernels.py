# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""The kernels a test guest can be booted with."""

import os
import re
import zlib

from common import BUILD, VM, Failure, locked, run_tool


class Kernel:
    """A kernel image, the folder of its modules, and what to build against."""

    def __init__(self, release, image, headers, modules, uml=False):
        self.release = release
        self.image = image
        self.headers = headers
        self.modules = modules
        self.uml = uml

    @property
    def module(self):
        return os.path.join(BUILD, "kmod", self.release, "ramload.ko")


def first_line(path):
    with open(path) as file:
        return file.readline().strip()


def unpacked(path):
    """A kernel as selftests/vm/kernel leaves it."""
    release = first_line(os.path.join(path, "release"))
    modules = os.path.join(path, "lib/modules", release)
    return Kernel(release, os.path.join(path, "vmlinuz"),
                  os.path.join(path, "headers"), modules)


def newest(paths):
    return max((os.path.getmtime(path) for path in paths
                if os.path.exists(path)), default=0)


def modules_of_tree(tree, release):
    """Installs the modules of a build tree under build/, unless nothing in
    the tree is newer than what was installed from it before."""
    order = os.path.join(tree, "modules.order")
    if not os.path.exists(order):
        return None
    with open(order) as file:
        built = [os.path.join(tree, line.strip()) for line in file]
    # Older trees list objects by the path below the source.
    built = [re.sub(r"\.o$", ".ko", path) for path in built]
    home = os.path.join(BUILD, "vm",
                        "tree-%08x" % zlib.crc32(os.fsencode(tree)))
    modules = os.path.join(home, "lib/modules", release)
    index = os.path.join(modules, "modules.dep")
    if newest([index]) <= newest([order] + built):
        run_tool("make", "-s", "-C", tree, "modules_install",
                 "INSTALL_MOD_PATH=" + home, "INSTALL_MOD_STRIP=1")
        os.utime(index)
    return modules


def from_tree(tree):
    """A kernel that was built in a tree and never installed."""
    release = first_line(os.path.join(tree, "include/config/kernel.release"))
    with locked("tree"):
        modules = modules_of_tree(tree, release)
    return Kernel(release, os.path.join(tree, "arch/x86/boot/bzImage"),
                  tree, modules)


def user_mode(name):
    """A kernel as selftests/vm/uml builds it; it has no modules."""
    run_tool(os.path.join(VM, "uml"), name)
    path = os.path.join(BUILD, "kernels", name)
    return Kernel(first_line(os.path.join(path, "release")),
                  os.path.join(path, "linux"), os.path.join(path, "headers"),
                  None, uml=True)


def find(name):
    """The kernel that --kernel NAME means."""
    if name in ("uml", "uml-debug"):
        return user_mode(name)
    if re.fullmatch(r"\d+\.\d+[^/]*", name):
        run_tool(os.path.join(VM, "kernel"), name)
        return unpacked(os.path.join(BUILD, "kernels", name))
    path = os.path.realpath(name)
    if os.path.exists(os.path.join(path, "arch/x86/boot/bzImage")):
        return from_tree(path)
    if os.path.exists(os.path.join(path, "release")):
        return unpacked(path)
    raise Failure("%s is neither a version, nor a kernel's build tree, nor a "
                  "folder made by selftests/vm/kernel" % name)


def modules_disk(kernel):
    """An image of a disk with the kernel's modules, made once."""
    if not kernel.modules:
        return None
    name = "modules-%08x.img" % zlib.crc32(os.fsencode(kernel.modules))
    image = os.path.join(BUILD, "vm", name)
    with locked("modules"):
        index = os.path.join(kernel.modules, "modules.dep")
        if newest([image]) < newest([index]):
            make_modules_disk(kernel, image)
    return image


def make_modules_disk(kernel, image):
    new = image + ".new"
    with open(new, "wb") as file:
        file.truncate(4 << 30)
    run_tool("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-O",
             "^has_journal", "-E", "root_owner=0:0",
             "-d", os.path.dirname(kernel.modules), new)
    os.rename(new, image)
