#!/bin/sh
# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#
# The emulator: what it saves is an image, what it restores goes on where it was,
# and what is no snapshot of its own is refused with a reason. The kernel engine
# is left out where the module is not loaded, all of it where there is no KVM.
#
# Functions are called by others that are given their names.
# shellcheck disable=SC2317

set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=selftests/result.sh
. "$here/result.sh"
PATH=$PATH:$here/../build
emulator=${EMULATOR:-ramload-emulator}

# Where the bitmap of an image is, and the first page that stays zero: its bit
# is the third of a byte of the bitmap.
bitmap=141
zero_page=515
pages=2097152
memory=8

# emulate STATUS ARGUMENT...: whether it ends with that status in time
emulate()
{
	wanted=$1
	shift
	timeout -s KILL 120 "$emulator" "$@" >"$dir/out" 2>"$dir/err"
	[ $? -eq "$wanted" ]
}

# One line says why, and it names the file.
refuses()
{
	emulate 1 restore "$1" && [ "$(wc -l <"$dir/err")" -eq 1 ] &&
		grep -q "^ramload-emulator: $1: " "$dir/err" &&
		grep -q "$2" "$dir/err"
}

has_module()
{
	[ -c /dev/ramload ]
}

# Generation 2 was the last that all vCPUs had done: each goes on with the one
# after its own last, and none is left out.
goes_on()
{
	emulate 0 restore "$1" --engine "$2" &&
		grep -q "^ramload-emulator: $1: .* MiB restored, $2 engine$" \
			"$dir/err" &&
		for cpu in 0 1 2; do
			last=$(grep "^vCPU $cpu:" "$dir/saved" | tail -n 1 |
				cut -d ' ' -f 4)
			first=$(grep -m 1 "^vCPU $cpu:" "$dir/out" |
				cut -d ' ' -f 4)
			[ "$first" -eq $((last + 1)) ] || return 1
		done
}

by_kernel()
{
	if has_module; then
		"$@"
		result $? "$name"
	else
		skip "$name" "the module is not loaded"
	fi
}

shows_progress()
{
	goes_on "$image" kernel && grep -q 'restoring: .*100 %' "$dir/err"
}

is_image()
{
	ramload info "$1" >"$dir/out" 2>"$dir/err" &&
		grep -q '^format *mapped-ram$' "$dir/out" &&
		grep -q '^machine *ramload-emulator$' "$dir/out" &&
		grep -q "^ram  *$memory.0 MiB .* 4096 *$pages " "$dir/out"
}

says_no_module()
{
	emulate 1 restore "$image" --engine kernel &&
		grep -q 'is the ramload module loaded?' "$dir/err" &&
		emulate 0 restore "$image" &&
		grep -q 'no kernel module (.*), using the user engine' "$dir/err"
}

# put OFFSET OCTAL FILE: overwrites one byte
put()
{
	# shellcheck disable=SC2059
	printf "\\$2" | dd of="$3" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

byte()
{
	od -An -tu1 -j "$1" -N 1 "$2" | tr -d ' '
}

# The guest looks at memory: a page that has to be zero is not.
notices()
{
	cp "$image" "$dir/wrong"
	[ "$(byte $((bitmap + zero_page / 8)) "$dir/wrong")" -eq 119 ] ||
		return 1
	put $((bitmap + zero_page / 8)) 177 "$dir/wrong"
	put $((pages + zero_page * 4096 + 1000)) 1 "$dir/wrong"
	emulate 1 restore "$dir/wrong" &&
		grep -q 'vCPU .*: 0x2033e8 holds 0x1, not 0' "$dir/err"
}

ends_too_early()
{
	for length in 0 7 8 100 140 141 300 2097151 3000000 10485759 10485760 \
		10485772 10485773 10485774 10486000 10488000 10499953 \
		10499954; do
		head -c "$length" "$image" >"$dir/short"
		refuses "$dir/short" "ends here" || return 1
	done
}

# refused OFFSET TEXT: a byte of the head changed
refused()
{
	cp "$image" "$dir/changed"
	put "$1" 231 "$dir/changed"
	refuses "$dir/changed" "$2"
}

refuses_changed_heads()
{
	refused 0 'no mapped-ram file' && refused 7 'no mapped-ram file' &&
		refused 12 'another machine' && refused 20 'another machine' &&
		refused 70 'another machine' && refused 76 'no RAM' &&
		refused 80 'no RAM' && refused 85 'no RAM' &&
		refused 93 'bytes of memory' && refused 94 'bytes of memory' &&
		refused 100 'bytes of memory' && refused 101 'first block' &&
		refused 103 'first block' && refused 105 'bytes of memory' &&
		refused 112 'bytes of memory' && refused 116 'another kind' &&
		refused 124 'another kind' && refused 125 'too far out' &&
		refused 128 'ends here' && refused 133 'too far out' &&
		refused 136 'ends here'
}

refuses_changed_sections()
{
	end=$((pages + memory * 1048576))
	for offset in 0 7 8 12; do
		refused $((end + offset)) 'no end of RAM' || return 1
	done
	for offset in 13 17 18 19 30 34 38; do
		refused $((end + offset)) 'not the state of vCPU 0' || return 1
	done
	refused $((end + 39)) 'a generation of'
}

refuses_other_files()
{
	head -c 8192 /dev/zero >"$dir/raw" && mkfifo "$dir/fifo" &&
		refuses "$dir/raw" 'no mapped-ram file' &&
		refuses "$dir/none" 'No such file' &&
		refuses "$dir" 'neither a file nor' &&
		refuses "$dir/fifo" 'neither a file nor' &&
		emulate 1 save "$dir" && emulate 1 save "$dir/none/image"
}

# Each is refused before anything is done.
refuses_usage()
{
	for line in "" x "run x" save "save a b" restore "run --memory 3" \
		"run --memory 5" "run --memory 9999" "run --cpus 0" \
		"run --cpus 17" "run --generations 0" "run --generations x" \
		"run --engine x" "run --x"; do
		# shellcheck disable=SC2086
		emulate 2 $line || return 1
		[ ! -s "$dir/out" ] && [ -s "$dir/err" ] || return 1
	done
	emulate 0 --help && grep -q '^Usage: ' "$dir/out"
}

# killed SECONDS ARGUMENT...: whether the emulator could be killed so early
killed()
{
	seconds=$1
	shift
	timeout -s KILL "$seconds" "$emulator" "$@" >"$dir/out" 2>"$dir/err"
	[ $? -ge 124 ]
}

# An image is the old one or the new one, whenever its writer is killed.
survives_kills()
{
	cp "$image" "$dir/kept/again"
	for seconds in 0.05 0.1 0.2 0.4 0.6 0.8 1 1.5; do
		killed $seconds save "$dir/kept/again" --memory $memory \
			--generations 1
		is_image "$dir/kept/again" || return 1
	done
	emulate 0 restore "$dir/kept/again"
}

# Nor is anything left of a load whose process is killed.
survives_killed_loads()
{
	for seconds in 0.01 0.03 0.05 0.1 0.2; do
		killed $seconds restore "$image" --generations 1000000 ||
			return 1
	done
	goes_on "$image" "$1"
}

echo "TAP version 13"
dir=$(mktemp -d) || exit 1
shown="$dir/out $dir/err"
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/kept"
image=$dir/kept/image
[ -e /dev/kvm ] || modprobe -q kvm_amd 2>/dev/null ||
	modprobe -q kvm_intel 2>/dev/null

timeout -s KILL 120 "$emulator" run --memory 4 --cpus 1 --generations 1 \
	>"$dir/out" 2>"$dir/err"
status=$?
[ $status -ne 4 ] || skip_all "$(cut -d : -f 2- "$dir/err")"
[ $status -lt 124 ] || skip_all "KVM runs no guest here"

echo "1..16"
result $status "runs"
emulate 0 save "$image" --memory $memory --cpus 3
result $? "saves"
cp "$dir/out" "$dir/saved"
[ "$(ls -A "$dir/kept")" = image ]
result $? "leaves nothing but the image"
is_image "$image"
result $? "what it saves is an image"
goes_on "$image" user
result $? "goes on where it was, user engine"
name="goes on where it was, kernel engine"
by_kernel goes_on "$image" kernel
name="shows progress"
by_kernel shows_progress
if has_module; then
	skip "says that there is no module" "there is one"
else
	says_no_module
	result $? "says that there is no module"
fi
notices
result $? "notices a byte that is wrong"
ends_too_early
result $? "refuses files that end too early"
refuses_changed_heads
result $? "refuses heads that are changed"
refuses_changed_sections
result $? "refuses sections that are changed"
refuses_other_files
result $? "refuses other files"
refuses_usage
result $? "refuses wrong usage"
survives_kills
result $? "an image survives a killed save"
if has_module; then
	survives_killed_loads kernel
else
	survives_killed_loads user
fi
result $? "killed restores leave nothing behind"
finish
