# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""The root disk of the test guest: an ext4 image with tools and files.

mke2fs can fill an image by itself, but takes a time that grows faster than a
file does. So it only gets empty files of the right size for those the user
put. Their blocks are then given out here, entered as extents by debugfs, and
copied straight to their place; holes stay holes. e2fsck corrects the counts
of free blocks, and would refuse an image in which two files share one.
"""

import errno
import os
import re
import shutil
import stat
import subprocess

import hostprogram
from common import BUILD, VM, Failure, run_tool, tool_environment, tool_output

BLOCK = 4096
LONGEST_EXTENT = 32768
SPARE = 4 << 30

# Taken from the host if it has them; busybox stands in for the rest. Its
# shell would run its own applets rather than what is on PATH, and its timeout
# does not kill what a program has started.
TOOLS = ("bash", "blockdev", "criu", "dash", "dmsetup", "env", "fallocate",
         "filefrag", "findmnt", "kmod", "losetup", "mke2fs", "mkfs.btrfs",
         "mkfs.xfs", "prlimit", "script", "sha256sum", "strace", "taskset",
         "timeout", "unshare", "xfs_io")
LINKS = {"sh": "dash", "mkfs.ext4": "mke2fs", "insmod": "kmod",
         "lsmod": "kmod", "modinfo": "kmod", "modprobe": "kmod",
         "rmmod": "kmod"}
FOLDERS = ("dev", "etc/modprobe.d", "mnt", "proc", "put", "root", "run",
           "selftests", "sys", "tmp", "usr/bin", "usr/lib/modules",
           "usr/lib64", "usr/sbin", "var/tmp")
FILES = {
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost ramload\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
                  "nobody:x:65534:65534:nobody:/:/bin/sh\n",
    # The folder of modules is a disk shared by all runs; ours is not on it.
    "etc/modprobe.d/ramload.conf":
        "install ramload /sbin/insmod /lib/ramload.ko $CMDLINE_OPTS\n",
}


class Tree:
    """A folder that becomes the root of the disk. Programs and the
    libraries they need are linked into it, or copied."""

    def __init__(self, root):
        self.root = root
        self.programs = []
        for name in FOLDERS:
            os.makedirs(self.path(name))
        for name in ("bin", "lib", "lib64", "sbin"):
            os.symlink("usr/" + name, self.path(name))
        for name, text in FILES.items():
            self.write(name, text.encode())

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)

    def add(self, source, name):
        """Adds a file, unless there is one of that name already."""
        target = self.path(name)
        if os.path.lexists(target):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        source = os.path.realpath(source)
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    def add_program(self, source, name):
        self.add(source, name)
        self.programs.append(source)

    def link(self, name, target):
        if not os.path.lexists(self.path(name)):
            os.symlink(target, self.path(name))

    def add_libraries(self):
        """Adds what the dynamic loader finds on the host for the programs
        added so far, itself included."""
        output = tool_output("ldd", *self.programs)
        for library in sorted(set(re.findall(r"(/\S+) \(0x", output))):
            self.add(library, library)


def is_program(path):
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def add_built(tree):
    """Adds what make built: tools to /usr/bin, libraries to /usr/lib, and
    everything in build/selftests to /selftests."""
    for entry in sorted(os.scandir(BUILD), key=lambda entry: entry.name):
        if ".so" in entry.name and entry.is_file():
            tree.add_program(entry.path, "usr/lib/" + entry.name)
        elif is_program(entry.path):
            tree.add_program(entry.path, "usr/bin/" + entry.name)
    tests = os.path.join(BUILD, "selftests")
    for folder, _, names in os.walk(tests):
        place = os.path.relpath(folder, tests)
        for name in names:
            source = os.path.join(folder, name)
            target = os.path.normpath(os.path.join("selftests", place, name))
            if is_program(source):
                tree.add_program(source, target)
            elif os.path.isfile(source) and not name.endswith((".o", ".d")):
                tree.add(source, target)


def add_tools(tree):
    path = tool_environment()["PATH"]
    for name in TOOLS:
        source = shutil.which(name, path=path)
        if source:
            tree.add_program(source, "usr/bin/" + name)
    for name, target in LINKS.items():
        if os.path.lexists(tree.path("usr/bin/" + target)):
            tree.link("usr/bin/" + name, target)
    tree.add("/bin/busybox", "usr/bin/busybox")
    for name in tool_output("/bin/busybox", "--list").split():
        tree.link("usr/bin/" + name, "busybox")
    # Programs that other programs start by a full name.
    for name in ("insmod", "modprobe", "rmmod"):
        tree.link("usr/sbin/" + name, "../bin/" + name)


def segments(path):
    """The parts of a file that hold data, as (start, end), whole blocks but
    for the end of the file."""
    found = []
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        end = 0
        while end < size:
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    break
                raise
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            start -= start % BLOCK
            end = min(size, end + -end % BLOCK)
            if found and found[-1][1] >= start:
                start = found.pop()[0]
            found.append((start, end))
    return found


class Blocks:
    """The free blocks of an image, given out from the first on."""

    def __init__(self, image):
        self.free = []
        for line in tool_output("dumpe2fs", image).splitlines():
            if line.startswith("  Free blocks:"):
                for first, last in re.findall(r"(\d+)-(\d+)", line):
                    self.free.append([int(first), int(last) + 1])
        # Small gaps between metadata are left to debugfs, which needs blocks
        # for trees of extents.
        self.free = [pair for pair in self.free
                     if pair[1] - pair[0] > LONGEST_EXTENT // 2]
        self.first = [pair[0] for pair in self.free]

    def take(self, count):
        """The first block of a run of at most count, and its length."""
        position = next((pair for pair in self.free if pair[0] < pair[1]),
                        None)
        if not position:
            raise Failure("the disk of the guest is full")
        length = min(count, position[1] - position[0], LONGEST_EXTENT)
        position[0] += length
        return position[0] - length, length

    def used(self):
        return [(first, pair[0] - first)
                for first, pair in zip(self.first, self.free)
                if pair[0] > first]


def place(parts, blocks):
    """Extents (logical block, length, physical block) for parts of a file."""
    extents = []
    for start, end in parts:
        block = start // BLOCK
        last = (end + BLOCK - 1) // BLOCK
        while block < last:
            first, length = blocks.take(last - block)
            extents.append((block, length, first))
            block += length
    return extents


def enter_extents(image, files, blocks):
    """files is [(name, extents)]. The blocks are marked as used beforehand
    so that debugfs puts no tree of extents on them."""
    commands = ["setb %d %d" % run for run in blocks.used()]
    for name, extents in files:
        commands.append('extent_open "/put/%s"' % name.replace('"', '""'))
        for number, (block, length, first) in enumerate(extents):
            commands.append("insert_node %s%d %d %d" % (
                "--after " if number else "", block, length, first))
        commands.append("extent_close")
    result = subprocess.run(["debugfs", "-w", "-f", "-", image],
                            input=os.fsencode("\n".join(commands) + "\n"),
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, env=tool_environment())
    # Its exit status says nothing; its first line of errors is a greeting.
    if result.returncode or len(result.stderr.splitlines()) > 1:
        raise Failure("debugfs failed: " + os.fsdecode(result.stderr))


def check(image):
    """Has the counts corrected; anything worse is our mistake."""
    result = subprocess.run(["e2fsck", "-f", "-p", image],
                            stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT,
                            env=tool_environment())
    if result.returncode not in (0, 1):
        raise Failure("the guest's disk is damaged:\n" + result.stdout)


def copy_range(source, target, size, source_offset, target_offset):
    """Copies in the kernel; a file system that can will share the blocks."""
    while size:
        try:
            count = os.copy_file_range(source, target, size, source_offset,
                                       target_offset)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS,
                                   errno.EOPNOTSUPP):
                raise
            os.lseek(target, target_offset, os.SEEK_SET)
            count = os.sendfile(target, source, source_offset, size)
        if not count:
            raise Failure("a file became shorter while it was copied")
        size -= count
        source_offset += count
        target_offset += count


def copy_data(path, extents, size, image):
    with open(path, "rb") as source, open(image, "r+b") as target:
        for block, length, first in extents:
            start = block * BLOCK
            copy_range(source.fileno(), target.fileno(),
                       min(length * BLOCK, size - start), start,
                       first * BLOCK)


def put_files(image, puts):
    blocks = Blocks(image)
    files = [(name, place(segments(path), blocks))
             for name, path in puts.items()]
    enter_extents(image, files, blocks)
    check(image)
    for name, extents in files:
        copy_data(puts[name], extents, os.path.getsize(puts[name]), image)


def check_put(path, puts):
    """The name under which a file will be in /put."""
    name = os.path.basename(path)
    if not os.path.exists(path):
        raise Failure("there is no file " + path)
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Failure(path + " is no regular file")
    if name in puts:
        raise Failure("two files to put have the name " + name)
    if not name.isprintable():
        raise Failure("a file to put has a name that cannot be printed")
    return name


def make_image(tree, folder, puts):
    """An image in folder of the folder tree, with the files put."""
    size = SPARE
    for name, path in puts.items():
        target = os.path.join(tree, "put", name)
        with open(target, "wb") as file:
            file.truncate(os.path.getsize(path))
        os.chmod(target, stat.S_IMODE(os.stat(path).st_mode))
        size += os.path.getsize(path) * 5 // 4

    image = os.path.join(folder, "root.img")
    with open(image, "wb") as file:
        file.truncate(size + -size % BLOCK)
    run_tool("mke2fs", "-q", "-F", "-t", "ext4", "-b", str(BLOCK), "-m", "0",
             "-N", "65536", "-J", "size=64", "-E", "root_owner=0:0",
             "-d", tree, image, quiet=True)
    if puts:
        put_files(image, puts)
    return image


def build(folder, command, module, puts, programs):
    """Makes the image in folder and returns its path. command is the text
    of the script to run, puts are {name: path}, module may be None, programs
    are keys of hostprogram.PROGRAMS."""
    tree = Tree(os.path.join(folder, "tree"))
    add_built(tree)
    add_tools(tree)
    for name in programs:
        hostprogram.add(tree, name)
    tree.add_libraries()
    tree.add(os.path.join(VM, "init"), "init")
    tree.write("command", command)
    if module:
        tree.add(module, "usr/lib/ramload.ko")
    return make_image(tree.root, folder, puts)


def build_put(folder, command, puts):
    """The same for a disk beside that of a whole system."""
    tree = os.path.join(folder, "tree")
    os.makedirs(os.path.join(tree, "put"))
    shutil.copy(os.path.join(VM, "init"), tree)
    with open(os.path.join(tree, "command"), "wb") as file:
        file.write(command)
    return make_image(tree, folder, puts)
