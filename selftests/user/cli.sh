# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
# shellcheck shell=bash
# For tests of the program `ramload`: images, and functions that run it. RAMLOAD in
# the environment names another one than build/ramload.

ramload=$(realpath "${RAMLOAD:-build/ramload}")
tmp=$(mktemp -d "$PWD/build/cli_test.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
unset NO_COLOR

# ---- images -----------------------------------------------------------------

# Writes IMAGE and, as a load is to print them, the digests of its blocks.
cat > "$tmp/image.py" <<'END'
import argparse, hashlib, random
PAGE = 4096
parser = argparse.ArgumentParser()
parser.add_argument("image")
parser.add_argument("--offset", type=int, default=0)
parser.add_argument("--ignore-shared", action="store_true")
parser.add_argument("--empty", action="store_true")
parser.add_argument("--page", type=int, default=4096)
parser.add_argument("blocks", nargs="+", help="NAME:PAGES, - left out")
args = parser.parse_args()
PAGE = args.page
rand = random.Random(1)
blocks = []
for block in args.blocks:
    name, pages = block.encode().decode("unicode_escape") \
        .encode("latin-1").rsplit(b":", 1)
    blocks.append((name, abs(int(pages)), int(pages) < 0))
caps = [b"mapped-ram"] + [b"x-ignore-shared"] * args.ignore_shared
be = lambda value, n: value.to_bytes(n, "big")
name_ = lambda name: be(len(name), 1) + name
with open(args.image, "wb") as f, open(args.image + ".sha256", "w") as sums:
    f.write(b"junk" * (args.offset // 4))
    f.seek(args.offset)
    f.write(b"QEVM" + be(3, 4) + b"\7" + be(8, 4) + b"pc-9.9.9")
    f.write(b"\5" + name_(b"configuration/capabilities") + be(1, 4))
    f.write(be(len(caps), 4) + b"".join(map(name_, caps)))
    f.write(b"\1" + be(2, 4) + name_(b"ram") + be(0, 4) + be(4, 4))
    f.write(be(sum(b[1] for b in blocks) * PAGE | 4, 8))
    for name, pages, left_out in blocks:
        f.write(name_(name) + be(pages * PAGE, 8))
        if args.ignore_shared:
            f.write(be(1 << 32, 8))
        f.write(be(1, 4) + be(PAGE, 8))
        if left_out:
            f.write(bytes(16))
            continue
        bitmap = f.tell() + 16
        length = (pages + 63) // 64 * 8
        start = (bitmap + length + PAGE - 1) // PAGE * PAGE
        bits = 0 if args.empty else rand.getrandbits(pages) | 1
        f.write(be(bitmap, 8) + be(start, 8) + bits.to_bytes(length, "little"))
        digest = hashlib.sha256()
        for page in range(pages):
            data = rand.randbytes(PAGE)
            f.seek(start + page * PAGE)
            f.write(data)
            digest.update(data if bits >> page & 1 else bytes(PAGE))
        shown = "".join(chr(c) if 32 <= c < 127 and c != 92 else f"\\x{c:02x}"
                        for c in name)
        sums.write(f"SHA256 ({shown}) = {digest.hexdigest()}\n")
    f.write(be(0x10, 8) + b"\x7e" + be(2, 4) + b"\2device state")
END

image() {	# NAME ARGUMENTS...
	local name=$1
	shift
	python3 "$tmp/image.py" "$tmp/$name" "$@"
}

image good.img pc.ram:900 0000:00:02.0/vga.vram:64 /rom@etc/acpi/rsdp:1
image offset.img --offset 12288 pc.ram:70
image huge.img --page 2097152 pc.ram:19
image shared.img --ignore-shared mem0:-99999 pc.bios:3
image nothing.img --ignore-shared mem0:-99999
image empty.img --empty pc.ram:70
# Bash keeps the backslashes: the generator reads them.
image odd.img 'a/b:1' 'a%2Fb:2' '..:1' 'a\\b:1' '\x1b[1m\n\xff:3' 'a")\t:1' \
	"$(printf '/%.0s' {1..250})a:1" "$(printf '/%.0s' {1..250})b:1"
head -c 40960 /dev/urandom > "$tmp/raw.img"
head -c 40961 /dev/urandom > "$tmp/text.img"
head -c 300 "$tmp/good.img" > "$tmp/cut.img"
head -c 100000 "$tmp/good.img" > "$tmp/cut2.img"
{ printf 'QEVM'; head -c 40956 /dev/urandom; } > "$tmp/broken.img"
: > "$tmp/void.img"
# Enough for several lines of progress, and for an interrupt to arrive. It has
# no holes: those would not be read.
head -c 512M /dev/zero > "$tmp/large.img"
# Pages of data and holes; layers over them, and what they come to in all.
sparse() {	# FILE PAGES PAGE...
	local file=$1 page
	truncate -s $(($2 * 4096)) "$file"
	for page in "${@:3}"; do
		head -c 4096 /dev/urandom | dd of="$file" bs=4096 \
			seek="$page" conv=notrunc status=none
	done
}
sparse "$tmp/base.img" 64 0 1 2 40
sparse "$tmp/layer1.img" 64 1 2 50
sparse "$tmp/layer2.img" 64 2 63
sparse "$tmp/short.img" 63 0
cp "$tmp/base.img" "$tmp/merged.img"
for page in 1:1 2:2 1:50 2:63; do
	dd if="$tmp/layer${page%:*}.img" of="$tmp/merged.img" bs=4096 \
		skip="${page#*:}" seek="${page#*:}" count=1 conv=notrunc \
		status=none
done

# An ELF core with two overlapping segments, and the other kinds of dumps.
python3 - "$tmp" <<'END'
import hashlib, random, struct, sys
data = random.Random(2).randbytes(30000)
segments = [(0x1000, 10000, 12000), (0x2000, 8000, 8000),
            (0x100000000, 5000, 5000)]
at = 64 + 56 * len(segments)
core = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
    "<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
body = b""
for address, size, length in segments:
    core += struct.pack("<IIQQQQQQ", 1, 7, at + len(body), 0, address, size,
                        length, 0)
    body += data[len(body):len(body) + size]
low = body[:10000] + body[15904:18000]
with open(sys.argv[1] + "/core", "wb") as f:
    f.write(core + body)
with open(sys.argv[1] + "/core.sha256", "w") as f:
    for name, memory in ("0x1000", low), ("0x100000000", body[18000:]):
        print(f"SHA256 ({name}) = {hashlib.sha256(memory).hexdigest()}",
              file=f)
for name, magic in ("kdump", b"KDUMP   "), ("flat", b"makedumpfile"):
    with open(f"{sys.argv[1]}/{name}", "wb") as f:
        f.write(magic.ljust(8192, b"\0"))
END

# A save file of libvirt: a header and XML, and then the stream.
image libvirt.img --offset 1092 pc.ram:300
libvirt() {	# NAME MAGIC FORMAT
	[ "$1" = libvirt.img ] || cp "$tmp/libvirt.img" "$tmp/$1"
	python3 -c 'import struct, sys
sys.stdout.buffer.write(sys.argv[1].encode() + struct.pack("<5I", 2, 1000, 1,
    int(sys.argv[2]), 10) + bytes(56) + b"<domain/>".ljust(1000, b"\0"))' \
		"$2" "$3" | dd of="$tmp/$1" conv=notrunc status=none
}
libvirt libvirt.img LibvirtQemudSave 6
libvirt libvirt-xz.img LibvirtQemudSave 3
libvirt libvirt-part.img LibvirtQemudPart 6

# Writes directories as CRIU and Cloud Hypervisor do, with digests beside them.
cat > "$tmp/directories.py" <<'END'
import hashlib, json, os, random, struct, sys
PAGE = 4096
rand = random.Random(2)
top = sys.argv[1]
def write(path, data):
    os.makedirs(os.path.dirname(f"{top}/{path}"), exist_ok=True)
    with open(f"{top}/{path}", "wb") as f:
        f.write(data)
def sums(path, blocks):
    with open(f"{top}/{path}.sha256", "w") as f:
        for name, data in blocks:
            f.write(f"SHA256 ({name}) = {hashlib.sha256(data).hexdigest()}\n")
def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
def message(*fields):
    data = b"".join(varint(number << 3) + varint(value)
                    for number, value in fields)
    return struct.pack("<I", len(data)) + data
def dump(path, pid, runs, data):
    out = struct.pack("<II", 0x54564319, 0x56084025) + message((1, 1))
    for vaddr, pages, flags in runs:
        out += message((1, vaddr), (2, pages), (4, flags))
    write(f"{path}/pagemap-{pid}.img", out)
    write(f"{path}/pages-1.img", data)
# Every other page changed after the first dump; then there came some more.
first = [rand.randbytes(PAGE) for _ in range(64)]
second = [rand.randbytes(PAGE) for _ in range(40)]
dump("criu/1", "77", [(0x10000, 64, 4)], b"".join(first))
dump("criu/2", "77", [(0x10000 + i * PAGE, 1, 1 if i % 2 else 4)
                      for i in range(64)] + [(0x7f0000000000, 8, 6)],
     b"".join(second))
os.symlink("../1", f"{top}/criu/2/parent")
whole = b"".join(first[i] if i % 2 else second[i // 2] for i in range(64))
sums("criu/2", [("77/0x10000", whole),
                ("77/0x7f0000000000", b"".join(second[32:]))])
dump("lost", "77", [(0x10000, 1, 1)], b"")
os.symlink("../gone", f"{top}/lost/parent")
ranges = [(0, 300), (1 << 32, 200)]
memory = rand.randbytes(500 * PAGE)
manager = {"memory_ranges": {"data": [{"gpa": gpa, "length": pages * PAGE}
                                      for gpa, pages in ranges]}}
state = {"snapshots": {"memory-manager": {
    "snapshots": {}, "snapshot_data": {"state": json.dumps(manager)}}}}
write("ch/state.json", json.dumps(state).encode())
write("ch/config.json", b"{}")
write("ch/memory-ranges", memory)
sums("ch", [("0x0", memory[:300 * PAGE]), ("0x100000000", memory[300 * PAGE:])])
write("short/state.json", json.dumps(state).encode())
write("short/memory-ranges", memory[:-1])
END
python3 "$tmp/directories.py" "$tmp"

# ---- helpers ----------------------------------------------------------------

# Not called out: tap() has a local variable of that name.
stdout=$tmp/stdout
stderr=$tmp/stderr

# Runs ramload; passes if it exits with STATUS.
run() {	# STATUS ARGUMENTS...
	local wanted=$1 status=0
	shift
	"$ramload" "$@" > "$stdout" 2> "$stderr" || status=$?
	cat "$stdout" "$stderr"
	[ "$status" -eq "$wanted" ] ||
		{ echo "exit status $status, not $wanted"; return 1; }
}

# Passes if it fails so, printing TEXT to standard error and nothing else.
fails() {	# STATUS TEXT ARGUMENTS...
	local status=$1 text=$2
	shift 2
	run "$status" "$@" && grep -qF -- "$text" "$stderr" && [ ! -s "$stdout" ]
}

json() {	# EXPRESSION ABOUT o
	python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
assert eval(sys.argv[2]), o' "$stdout" "$1"
}

# All the digests that there should be, in order, and no others.
digests_right() {	# IMAGE
	grep '^SHA256' "$stdout" | diff "$tmp/$1.sha256" -
}

loads() {	# IMAGE ARGUMENTS...
	local name=$1
	shift
	run 0 load "$tmp/$name" --sha256 --engine user "$@" &&
		digests_right "$name"
}

json_digests_right() {	# IMAGE
	python3 -c 'import json, sys
for b in json.load(open(sys.argv[1]))["blocks"]:
    print("SHA256 ({name}) = {sha256}".format(**b))' "$stdout" |
		diff "$tmp/$1.sha256" -
}

# Interrupts a program as soon as it has workers, and prints its exit status. One
# that ended before is started again.
cat > "$tmp/interrupt.py" <<'END'
import os, signal, subprocess, sys, time
for tries in range(20):
    process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
    while process.poll() is None and \
            len(os.listdir(f"/proc/{process.pid}/task")) < 2:
        time.sleep(0.001)
    process.send_signal(getattr(signal, sys.argv[1]))
    if process.wait() != 0:
        break
print(process.returncode)
END
