# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""The initramfs of the test guest: busybox, init and a few modules."""

import os
import stat

# What has to be there before the disk is mounted, if it is not built in.
BOOT_MODULES = ("virtio_pci", "virtio_console", "virtio_blk", "crc32c_generic",
                "ext4")


class Archive:
    """A cpio archive in the kernel's "newc" format."""

    def __init__(self):
        self.data = bytearray()

    def _add(self, name, mode, content=b""):
        name = name.encode() + b"\0"
        fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        self.data += b"070701" + b"".join(b"%08X" % f for f in fields) + name
        self._pad()
        self.data += content
        self._pad()

    def _pad(self):
        self.data += bytes(-len(self.data) % 4)

    def folder(self, name):
        self._add(name, stat.S_IFDIR | 0o755)

    def file(self, name, content):
        self._add(name, stat.S_IFREG | 0o755, content)

    def link(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def finish(self):
        self._add("TRAILER!!!", 0)
        return bytes(self.data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def module_name(path):
    return os.path.basename(path).split(".")[0].replace("-", "_")


def load_order(modules, wanted):
    """Paths of the modules wanted and of what they depend on, in an order
    in which they can be inserted. modules.dep lists dependencies so that the
    last comes first. Modules that are built in have no entry."""
    dependencies = {}
    with open(os.path.join(modules, "modules.dep")) as file:
        for line in file:
            path, _, rest = line.partition(":")
            dependencies[module_name(path)] = [path] + rest.split()
    order = []
    for name in wanted:
        for path in reversed(dependencies.get(name, [])):
            if path not in order:
                order.append(path)
    return order


def build(init, modules=None):
    """The bytes of an initramfs that runs the script init. modules is the
    folder of the kernel's modules, or None if it has none."""
    archive = Archive()
    for name in ("bin", "dev", "disk", "modules", "proc", "sys"):
        archive.folder(name)
    archive.file("init", read(init))
    archive.file("bin/busybox", read("/bin/busybox"))
    for name in ("insmod", "mount", "poweroff", "sleep", "stty",
                 "switch_root"):
        archive.link("bin/" + name, "busybox")
    order = load_order(modules, BOOT_MODULES) if modules else []
    for path in order:
        archive.file("modules/" + os.path.basename(path),
                     read(os.path.join(modules, path)))
    names = "".join(os.path.basename(path) + "\n" for path in order)
    archive.file("modules/order", names.encode())
    return archive.finish()
