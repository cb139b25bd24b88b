# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""Boots a VM with the module loaded and runs a command in it."""

import argparse
import contextlib
import fcntl
import glob
import os
import shutil
import signal
import sys
import tempfile
import time

import hostprogram
import initramfs
import kernels
import klog
import machine
import rootdisk
from common import BUILD, TOP, VM, Failure, locked, run_tool, say

USAGE = 2
NOT_STARTED = 96
TIMED_OUT = 97
DIED = 98
COMPLAINED = 99

DESCRIPTION = """\
Boots a VM with the module loaded and the built tools on PATH, and runs
COMMAND as root in it. What COMMAND writes to stdout and stderr comes out
here as it is; its stdin is empty. Anything it leaves running is killed."""

EPILOG = """\
exit status:
  that of COMMAND, 128 + N if signal N killed it; or
   2  wrong usage
  96  the VM could not be started
  97  COMMAND did not end in time
  98  the VM died before COMMAND ended
  99  COMMAND succeeded, but the kernel complained (WARNING, BUG, Oops, KASAN,
      lockdep, ...) or the module could not be removed afterwards
The complaint, or the end of the kernel log, is shown on stderr. Whole logs
are kept in build/vm/log for a while. Whether KVM works is found out once and
noted in build/vm/accel.

Everything put, and the root file system, is on an ext4 disk of its own with
some gigabytes to spare, thrown away afterwards. /tmp, /run and /dev/shm are
in memory. All modules of the kernel can be had by modprobe."""

LOGS_KEPT = 50


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="run", usage="%(prog)s [OPTION]... -- COMMAND [ARGUMENT]...",
        description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--kernel", default="6.12", metavar="6.1|6.12|uml|uml-debug|PATH",
        help="Debian's kernel of that version; User Mode Linux, which is "
             "built first, plain or with all checks on; a kernel's build "
             "tree; or a folder made by selftests/vm/kernel (default: "
             "%(default)s)")
    add("--cpus", type=int, default=2, metavar="N", help="virtual CPUs")
    add("--mem", default="4G", metavar="SIZE",
        help="memory (default: %(default)s)")
    add("--append", action="append", default=[], metavar="KARGS",
        help="more arguments for the kernel; may be repeated")
    add("--put", action="append", default=[], metavar="HOSTFILE",
        help="a file to be at /put/NAME; may be repeated")
    add("--with", action="append", default=[], dest="programs",
        choices=sorted(hostprogram.PROGRAMS),
        help="a program of the host, with all it needs; may be repeated")
    add("--timeout", type=float, default=600, metavar="SECONDS",
        help="for the whole time the VM runs (default: %(default)s)")
    add("--accel", choices=("auto", "kvm", "tcg"), default="auto",
        help="KVM, emulation, or what works (default: %(default)s)")
    add("--qemu-arg", action="append", default=[], metavar="ARG",
        help="one more argument for QEMU, as in --qemu-arg=-device "
             "--qemu-arg nvme,...; may be repeated")
    add("--root", metavar="IMAGE",
        help="a disk that selftests/vm/debian made, to run as the system that "
             "it is; what changes stays on it. Implies --no-module and "
             "--no-build")
    add("--no-module", action="store_true",
        help="neither build the module nor load it")
    add("--no-build", action="store_true",
        help="take what is in build/ as it is")

    if "--" in arguments:
        split = arguments.index("--")
        command = arguments[split + 1:]
        arguments = arguments[:split]
    else:
        command = []
    options = parser.parse_args(arguments)
    if not command:
        parser.error("a COMMAND after -- is needed")
    options.command = command
    if options.root:
        if options.programs:
            parser.error("--root has programs of its own")
        options.no_build = options.no_module = True
    options.puts = {}
    for path in options.put:
        try:
            options.puts[rootdisk.check_put(path, options.puts)] = path
        except Failure as failure:
            parser.error(str(failure))
    return options


def quote(argument):
    """For a shell; like shlex.quote, but for bytes."""
    return b"'" + argument.replace(b"'", b"'\"'\"'") + b"'"


def script(command):
    """The guest runs COMMAND by this, which leaves its arguments alone."""
    words = b" ".join(quote(os.fsencode(word)) for word in command)
    return b"exec " + words + b"\n"


def build(kernel, options):
    """Runs of make in one folder must not meet."""
    if options.no_build:
        return
    with locked("make"):
        run_tool("make", "-s", "-C", TOP, "user")
        if not options.no_module:
            run_tool("make", "-s", "-C", TOP, "module",
                     "KDIR=" + kernel.headers)


def new_log():
    """A name for the kernel log of this run; old ones are removed."""
    folder = os.path.join(BUILD, "vm", "log")
    os.makedirs(folder, exist_ok=True)
    for path in sorted(glob.glob(os.path.join(folder, "*.log")))[:-LOGS_KEPT]:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
    name = time.strftime("%Y%m%d-%H%M%S") + "-%d.log" % os.getpid()
    return os.path.join(folder, name)


def lock_folder(path):
    """Locks a folder, or fails; the lock lasts until the fd is closed."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise
    return fd


@contextlib.contextmanager
def scratch():
    """A folder that is removed afterwards. Those whose run was killed before
    it could do that are not locked any more, and are removed here."""
    place = os.path.join(BUILD, "vm")
    with locked("scratch"):
        for path in glob.glob(os.path.join(place, "run.*")):
            with contextlib.suppress(OSError):
                fd = lock_folder(path)
                shutil.rmtree(path)
                os.close(fd)
        folder = tempfile.TemporaryDirectory(prefix="run.", dir=place)
        fd = lock_folder(folder.name)
    try:
        with folder:
            yield folder.name
    finally:
        os.close(fd)


def open_system(options):
    """The disk of --root, and one with what is put and the script."""
    with scratch() as folder:
        put = rootdisk.build_put(folder, script(options.command),
                                 options.puts)
        return [(open(options.root, "r+b"), False), (open(put, "r+b"), False)]


def open_disks(kernel, options):
    """Makes the disks. The root disk has no name any more when this returns,
    so that it goes away with the run, however that ends."""
    if options.root:
        return open_system(options)
    module = None if options.no_module else kernel.module
    if module and not os.path.exists(module):
        raise Failure("the module is not built for Linux " + kernel.release)
    modules = kernels.modules_disk(kernel)
    with scratch() as folder:
        root = rootdisk.build(folder, script(options.command), module,
                              options.puts, options.programs)
        disks = [(open(root, "r+b"), False)]
    if modules:
        disks.append((open(modules, "rb"), True))
    return disks


def verdict(result, log):
    """The status to exit with once COMMAND has ended."""
    status = result.status
    for problem in result.problems:
        say(problem)
    complaint = klog.complaint(log)
    if complaint:
        say("the kernel complained; whole log in %s\n%s" % (log, complaint))
    if status == 0 and (complaint or result.problems):
        return COMPLAINED
    return status


def boot(kernel, options):
    archive = initramfs.build(os.path.join(VM, "init"), kernel.modules)
    if kernel.uml:
        log = new_log()
        guest = machine.Uml(options, kernel.image, archive,
                            open_disks(kernel, options), log)
    else:
        accel = machine.choose_accel(options, kernel.image, archive)
        disks = open_disks(kernel, options)
        log = new_log()
        guest = machine.Qemu(options, accel, kernel.image, archive, disks,
                             log)
    result = None
    try:
        result = guest.run(options.timeout)
    except machine.TimedOut:
        status, text = TIMED_OUT, "COMMAND did not end in time"
    except machine.Died:
        status, text = DIED, "the VM died"
    finally:
        said = guest.close()
    if result:
        return verdict(result, log)
    say("%s; end of %s:\n%s" % (text, log, klog.tail(log)))
    if said:
        say("its program said:\n" + said)
    return status


def main():
    options = parse(sys.argv[1:])
    os.makedirs(os.path.join(BUILD, "vm"), exist_ok=True)
    try:
        kernel = kernels.find(options.kernel)
        if options.root and kernel.uml:
            raise Failure("--root takes a kernel that QEMU runs")
        build(kernel, options)
        return boot(kernel, options)
    except Failure as failure:
        say(failure)
        return NOT_STARTED


def end(number, _):
    sys.exit(128 + number)


if __name__ == "__main__":
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        sys.exit(main())
    except BrokenPipeError:
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        say(error)
        sys.exit(NOT_STARTED)
