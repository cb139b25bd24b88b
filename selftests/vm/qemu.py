# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""A QEMU process that saves or restores a guest, and its monitor."""

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import time

# mapped-ram came with 9.0.
OLDEST_QEMU = (9, 0)

MIB = 1 << 20


class Failure(Exception):
    """Ends the run with a message for the user."""


class Deadline:
    """A point in time that no step of a run may outlast."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def check(self, what):
        if not self.left():
            raise Failure(f"{what} took more than {self.seconds} seconds")


class Qmp:
    """QEMU's monitor on a connected socket."""

    def __init__(self, sock, deadline):
        self.sock = sock
        self.lines = sock.makefile("r", encoding="utf-8")
        self.deadline = deadline
        self.events = []
        version = self.receive()["QMP"]["version"]["qemu"]
        self.version = (version["major"], version["minor"])
        self.command("qmp_capabilities")

    def receive(self):
        self.sock.settimeout(self.deadline.left() + 0.001)
        try:
            line = self.lines.readline()
        except TimeoutError:
            raise Failure("QEMU's monitor did not answer in "
                          f"{self.deadline.seconds} seconds") from None
        except OSError:
            line = ""
        if not line:
            raise Failure("QEMU ended unexpectedly")
        return json.loads(line)

    def command(self, name, **arguments):
        request = {"execute": name, "arguments": arguments}
        try:
            self.sock.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            raise Failure("QEMU ended unexpectedly") from None
        while True:
            answer = self.receive()
            if "error" in answer:
                raise Failure(f"QEMU: {name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
            if "event" in answer:
                self.events.append(answer)

    def event(self, name):
        """The data of the next event of that name."""
        while True:
            while self.events:
                answer = self.events.pop(0)
                if answer["event"] == name:
                    return answer.get("data", {})
            answer = self.receive()
            if "event" in answer:
                self.events.append(answer)


def make_once(image, want, command):
    """Have COMMAND make an image, unless the one of an earlier run was made of
    the same WANT."""
    note = image.with_suffix(".json")
    want = json.dumps(want)
    with contextlib.suppress(OSError):
        if image.exists() and note.read_text() == want:
            return
    note.unlink(missing_ok=True)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    note.write_text(want)


def channels(name, offset):
    """What migrate and migrate-incoming want to know of a file."""
    return [{
        "channel-type": "main",
        "addr": {"transport": "file", "filename": name, "offset": offset},
    }]


def machine_options(machine, mem, cpus, memory):
    """MEMORY is a kind, or the number of an fd that QEMU inherits."""
    options = [
        "-nodefaults", "-no-user-config", "-display", "none",
        "-accel", "tcg,thread=multi", "-cpu", "max", "-no-reboot",
        "-m", f"{mem // MIB}M", "-smp", str(cpus),
        # More blocks than one, and names with colons and slashes.
        "-device", "VGA",
    ]
    backend = {
        "file": "memory-backend-file,mem-path=ram,share=on",
        "private": "memory-backend-file,mem-path=ram,share=off",
        "memfd": "memory-backend-memfd,share=on",
        "anon": None,
    }.get(memory, f"memory-backend-file,mem-path=/proc/self/fd/{memory},"
                  "share=on")
    if not backend:
        return options + ["-machine", machine]
    return options + [
        "-machine", f"{machine},memory-backend=pc.ram",
        "-object", f"{backend},id=pc.ram,size={mem}",
    ]


class Stalled(Failure):
    """TCG has lost the timer of a CPU, which it does now and then on a machine
    that is busy.  The guest will not recover; another one may do better."""


class Qemu:
    """A QEMU process.  Its working directory is ours to fill and remove, and
    every file it is told of is named relative to it: no name from outside
    meets the quoting rules of QEMU's options."""

    def __init__(self, program, options, directory, deadline, fds=(),
                 environment=None):
        self.console = directory / "console"
        self.errors = directory / "errors"
        self.deadline = deadline
        ours, theirs = socket.socketpair()
        options = options + [
            "-serial", "file:console",
            "-chardev", f"socket,id=qmp,fd={theirs.fileno()}",
            "-mon", "chardev=qmp,mode=control",
        ]
        with theirs, self.errors.open("wb") as errors:
            try:
                self.process = subprocess.Popen(
                    [program, *options], cwd=directory,
                    pass_fds=[theirs.fileno(), *fds],
                    env={**os.environ, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=errors, stderr=errors)
            except OSError as error:
                raise Failure(f"{program}: {error.strerror}") from None
        self.sock = ours

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()
        self.sock.close()

    def connect(self):
        self.qmp = Qmp(self.sock, self.deadline)
        if self.qmp.version < OLDEST_QEMU:
            raise Failure("QEMU {}.{} is too old: mapped-ram needs {}.{}"
                          .format(*self.qmp.version, *OLDEST_QEMU))

    def wait_for(self, word):
        """Until the guest has written WORD to its console."""
        while True:
            text = self.console.read_text(errors="replace")
            if word in text.split():
                return
            if "detected stalls" in text:
                raise Stalled("a CPU of the guest stands still")
            if "Kernel panic" in text:
                raise Failure("the guest's kernel panicked")
            if self.process.poll() is not None:
                raise Failure(f"QEMU ended before the guest said {word}")
            self.deadline.check(f"waiting for the guest to say {word}")
            time.sleep(0.05)

    def memory_digest(self, size):
        """SHA-256 of the first SIZE bytes of the guest's memory."""
        self.qmp.command("pmemsave", val=0, size=size, filename="ram.out")
        path = self.console.parent / "ram.out"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        path.unlink()
        return digest

    def check_sum(self):
        """Let a checksum_guest run, until it has added up its memory again."""
        self.qmp.command("cont")
        self.wait_for("ok")
        words = self.console.read_text(errors="replace").split()
        if "BAD" in words or "READY" in words:
            raise Failure("the guest finds its memory changed")

    def configure_migration(self, multifd, direct_io):
        capabilities = ["mapped-ram"] + (["multifd"] if multifd else [])
        self.qmp.command("migrate-set-capabilities", capabilities=[
            {"capability": name, "state": True} for name in capabilities])
        # The default is 128 MiB/s.
        parameters = {"max-bandwidth": 1 << 40}
        if multifd:
            parameters["multifd-channels"] = multifd
        if direct_io:
            parameters["direct-io"] = True
        self.qmp.command("migrate-set-parameters", **parameters)

    def migrate(self, name, offset):
        self.qmp.command("migrate", channels=channels(name, offset))
        self.wait_migrated("saving the guest")

    def restore(self, name, offset):
        self.qmp.command("migrate-incoming", channels=channels(name, offset))
        self.wait_migrated("restoring the guest")

    def restore_by_event(self, name):
        """With the capability "events": nobody asks QEMU meanwhile."""
        self.qmp.command("migrate-incoming", channels=channels(name, 0))
        while True:
            status = self.qmp.event("MIGRATION")["status"]
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                raise Failure(f"the migration {status}")

    def wait_migrated(self, what):
        while True:
            state = self.qmp.command("query-migrate")
            status = state.get("status", "none")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                reason = state.get("error-desc", "no reason given")
                raise Failure(f"the migration {status}: {reason}")
            self.deadline.check(what)
            time.sleep(0.02)

    def quit(self):
        self.qmp.command("quit")
        try:
            status = self.process.wait(self.deadline.left())
        except subprocess.TimeoutExpired:
            raise Failure("QEMU does not quit") from None
        if status:
            raise Failure(f"QEMU ended with status {status}")

    def report(self):
        """What QEMU and the guest said last, for a message of failure."""
        text = ""
        for path in (self.errors, self.console):
            with contextlib.suppress(OSError):
                text += path.read_text(errors="replace")
        return "".join(f"\t{line}\n" for line in text.splitlines()[-15:])
