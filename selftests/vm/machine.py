# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""Runs QEMU or User Mode Linux, and passes on what the guest sends."""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import tempfile
import time

from common import BUILD, locked, say, tool_output

QEMU = "qemu-system-x86_64"

# Some hosts offer a /dev/kvm on which a kernel never gets past early boot,
# while one that works is there in a second or two.
PROBE_SECONDS = 15

# A guest that was told to power off, or that closed its ports, is given this
# long to end.
EXIT_SECONDS = 10

# A kernel complains of a CPU that does nothing for 20 seconds. On a busy host
# it may be QEMU that waits for its turn, so here it is 120 seconds.
PATIENCE = ["watchdog_thresh=60", "rcupdate.rcu_cpu_stall_timeout=120"]


class Died(Exception):
    """The guest ended before COMMAND did."""


class TimedOut(Exception):
    """COMMAND did not end in time."""


class Result:
    def __init__(self, status, problems):
        self.status = status
        self.problems = problems


class Ports:
    """What the guest sends over, each one end of a pair of sockets."""

    NAMES = ("control", "out", "err")

    def __init__(self):
        self.ours = {}
        self.theirs = {}
        for name in self.NAMES:
            self.ours[name], self.theirs[name] = socket.socketpair()

    def fds(self):
        return [end.fileno() for end in self.theirs.values()]

    def close_theirs(self):
        for end in self.theirs.values():
            end.close()

    def close(self):
        self.close_theirs()
        for end in self.ours.values():
            end.close()


class Machine:
    """One run of a guest. disks are files that it finds as its first block
    device and so on: [(open file, read-only)]. Their paths need not exist any
    more."""

    def __init__(self, initramfs, disks):
        self.ports = Ports()
        self.wanted = None
        self.received = {"out": 0, "err": 0}
        self.status = None
        self.problems = []
        self.line = b""
        self.archive = self._hold(initramfs)
        self.said = tempfile.TemporaryFile()
        self.files = [self.archive] + [file.fileno() for file, _ in disks]

    def _start(self, command, stdout):
        # If this process is killed, the guest must not go on for ever. A
        # guest that is several processes has to end as a whole.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL"] + command,
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=self.said,
            pass_fds=self.ports.fds() + self.files, start_new_session=True)
        self.ports.close_theirs()

    @staticmethod
    def _hold(content):
        fd = os.memfd_create("initramfs")
        with open(fd, "wb", closefd=False) as file:
            file.write(content)
        return fd

    def kernel_arguments(self, options):
        return ["loglevel=5", "panic=-1"] + options.append

    def _control(self, data):
        """Takes the lines that selftests/vm/init sends."""
        *lines, self.line = (self.line + data).split(b"\n")
        for line in lines:
            word, _, rest = line.decode(errors="replace").partition(" ")
            if word == "problem":
                self.problems.append(rest)
            elif word == "exit":
                status, *counts = map(int, rest.split())
                self.wanted = dict(zip(("out", "err"), counts))
                self.status = status

    def _pass_on(self, name, data):
        fd = 1 if name == "out" else 2
        self.received[name] += len(data)
        while data:
            data = data[os.write(fd, data):]

    def _events(self, deadline):
        """Yields (name of port, data) until the guest has closed all."""
        with selectors.DefaultSelector() as selector:
            for name, end in self.ports.ours.items():
                selector.register(end, selectors.EVENT_READ, name)
            while selector.get_map():
                left = deadline - time.monotonic()
                ready = selector.select(max(left, 0))
                if not ready and left <= 0:
                    raise TimedOut
                for key, _ in ready:
                    try:
                        data = key.fileobj.recv(1 << 20)
                    except ConnectionResetError:
                        data = b""
                    if not data:
                        selector.unregister(key.fileobj)
                    yield key.data, data

    def wait_until_up(self, seconds):
        """Whether the guest's first process starts within that time."""
        with contextlib.suppress(TimedOut):
            for name, data in self._events(time.monotonic() + seconds):
                if name == "control" and data.startswith(b"up"):
                    return True
        return False

    def run(self, seconds):
        """Passes on the output of COMMAND until the guest ends."""
        deadline = time.monotonic() + seconds
        for name, data in self._events(deadline):
            if name == "control":
                self._control(data)
            elif data:
                self._pass_on(name, data)
            if self.wanted == self.received:
                # All has arrived: let the guest power off.
                self.wanted = None
                with contextlib.suppress(OSError):
                    self.ports.ours["control"].send(b"done\n")
        if self.status is None:
            raise Died
        return Result(self.status, self.problems)

    def close(self):
        """Ends the guest if it still runs; returns what its program said."""
        try:
            if self.status is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(EXIT_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.ports.close()
            os.close(self.archive)
        with self.said:
            self.said.seek(0)
            return self.said.read().decode(errors="replace")


class Qemu(Machine):
    def __init__(self, options, accel, image, initramfs, disks, log):
        super().__init__(initramfs, disks)
        command = ["-nodefaults", "-no-user-config", "-no-reboot",
                   "-display", "none", "-monitor", "none", "-M", "q35",
                   "-smp", str(options.cpus), "-m", options.mem]
        command += acceleration(accel, options.qemu_arg)
        command += ["-kernel", image,
                    "-initrd", "/dev/fd/%d" % self.archive,
                    "-append", " ".join(["console=ttyS0"] + PATIENCE +
                                        self.kernel_arguments(options)),
                    "-chardev", "file,id=log,path=" + log.replace(",", ",,"),
                    "-serial", "chardev:log"]
        command += self._port_arguments()
        for number, (file, readonly) in enumerate(disks):
            command += [
                "-drive", "if=none,id=disk%d,file=/dev/fd/%d,format=raw,"
                "cache=unsafe,aio=threads,discard=unmap,readonly=%s" % (
                    number, file.fileno(), "on" if readonly else "off"),
                "-device", "virtio-blk-pci,drive=disk%d" % number]
        self._start([QEMU] + command + options.qemu_arg, subprocess.DEVNULL)

    def _port_arguments(self):
        arguments = ["-device", "virtio-serial-pci"]
        for name, end in self.ports.theirs.items():
            arguments += [
                "-chardev", "socket,id=%s,fd=%d" % (name, end.fileno()),
                "-device", "virtserialport,chardev=%s,name=ramload.%s" % (
                    name, name)]
        return arguments


class Uml(Machine):
    """Its ports are serial lines: ttyS1, ttyS2, ttyS3."""

    def __init__(self, options, image, initramfs, disks, log):
        super().__init__(initramfs, disks)
        command = [image, "mem=" + options.mem, "ncpus=%d" % options.cpus,
                   "seccomp=on", "initrd=/dev/fd/%d" % self.archive,
                   "con=null", "con0=null,fd:1", "console=tty0", "ssl=null"]
        for number, end in enumerate(self.ports.theirs.values(), 1):
            command.append("ssl%d=fd:%d,fd:%d" % (number, end.fileno(),
                                                  end.fileno()))
        for number, (file, readonly) in enumerate(disks):
            command.append("ubd%d%s=/dev/fd/%d" % (
                number, "r" if readonly else "", file.fileno()))
        with open(log, "wb") as stdout:
            self._start(command + self.kernel_arguments(options), stdout)


def acceleration(accel, arguments):
    if accel == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    # "-icount" makes time count instructions, and needs one thread for all
    # virtual CPUs. With these features TCG copies and clears byte by byte.
    thread = "single" if "-icount" in arguments else "multi"
    return ["-accel", "tcg,thread=" + thread, "-cpu", "max,-erms,-fsrm,-fzrm,-fsrs,-fsrc"]


def kvm_boots(options, image, initramfs):
    """Whether this kernel really starts under KVM."""
    machine = Qemu(options, "kvm", image, initramfs, [], "/dev/null")
    try:
        return machine.wait_until_up(PROBE_SECONDS)
    finally:
        machine.close()


def choose_accel(options, image, initramfs):
    """What to run under. The verdict about KVM is remembered until QEMU or
    the host's kernel changes."""
    if options.accel != "auto":
        return options.accel
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    about = "%s, host %s" % (
        tool_output(QEMU, "--version").partition("\n")[0],
        os.uname().release)
    with locked("accel"):
        note = os.path.join(BUILD, "vm", "accel")
        with contextlib.suppress(OSError, ValueError):
            with open(note) as file:
                accel, known = file.read().strip().split(": ", 1)
            if known == about:
                return accel
        say("finding out whether KVM works here")
        accel = "kvm" if kvm_boots(options, image, initramfs) else "tcg"
        with open(note, "w") as file:
            file.write("%s: %s\n" % (accel, about))
    say("KVM works" if accel == "kvm" else "it does not; using TCG")
    return accel
