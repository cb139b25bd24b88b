#!/bin/sh
# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#
# The programs of Documentation/examples: what they load is the file, byte by
# byte, linked to the library both ways. With the module they have the kernel
# engine, else the user engine.
#
# Functions are called by others that are given their names.
# shellcheck disable=SC2317

set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=selftests/result.sh
. "$here/result.sh"
examples=${EXAMPLES:-$here/examples}

dir=$(mktemp -d) || exit 1
shown=$dir/err
trap 'rm -rf "$dir"' EXIT

# run STATUS PROGRAM FILE...: whether it ends with that status in time
run()
{
	wanted=$1
	program=$2
	shift 2
	timeout -s KILL 120 "$examples/$program" "$@" >"$dir/out" 2>"$dir/err"
	[ $? -eq "$wanted" ]
}

# loads PROGRAM FILE...: FILE is its name without the directory
loads()
{
	program=$1
	shift
	(cd "$dir" && cat "$@") >"$dir/want"
	for file; do
		set -- "$@" "$dir/$file"
		shift
	done
	run 0 "$program" "$@" && cmp "$dir/want" "$dir/out" >>"$dir/err" 2>&1 &&
		grep -q ": $engine engine\$" "$dir/err"
}

# refuses STATUS TEXT PROGRAM FILE...: nothing on standard output, a reason
refuses()
{
	status=$1
	text=$2
	shift 2
	run "$status" "$@" && [ ! -s "$dir/out" ] &&
		grep -q "$text" "$dir/err"
}

# ^C is there before the first byte, as the program is started with it: a signal
# that is blocked stays so, and waits, when another program is executed.
interrupted_once()
{
	truncate -s 1G "$dir/long" "$dir/long2"
	timeout -s KILL 120 python3 -c '
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
os.kill(os.getpid(), signal.SIGINT)
os.execv(sys.argv[1], sys.argv[1:])
' "$examples/$1" "$dir/long" "$dir/long2" >"$dir/out" 2>"$dir/err"
	[ $? -eq 1 ] && [ ! -s "$dir/out" ] &&
		grep -q "long2: [0-9]* bytes, Operation canceled\$" "$dir/err"
}

# It may load all of it before it looks for signals.
interrupted()
{
	tries=20
	until interrupted_once "$1"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] && grep -q "long2: .* all of it" "$dir/err" ||
			return 1
	done
}

[ -x "$examples/blocking" ] ||
	skip_all "there is no $examples/blocking: make examples"
engine=user
[ ! -c /dev/ramload ] || [ ! -w /dev/ramload ] || engine=kernel

# An image that is not as a program would make it: with a hole, and pages behind.
head -c 3145728 /dev/urandom >"$dir/image"
truncate -s 5M "$dir/image"
head -c 40960 /dev/urandom >>"$dir/image"
head -c 2500123 /dev/urandom >"$dir/odd"
printf x >"$dir/byte"
head -c 65536 /dev/urandom >"$dir/even"
: >"$dir/err"

for how in '' -static; do
	loads "blocking$how" image
	result $? "blocking$how: an image, $engine engine"
	loads "events$how" odd image byte even
	result $? "events$how: four files, $engine engine"
	for file in odd even byte; do
		loads "pages$how" $file
		result $? "pages$how: file \"$file\", $engine engine"
	done
done
for program in blocking events pages; do
	refuses 2 '^[a-z]*: usage: ' "$program"
	result $? "$program: no file"
	refuses 1 'No such file' "$program" "$dir/missing"
	result $? "$program: missing file"
done
refuses 1 'offset 0: not an image' blocking "$dir/odd"
result $? 'blocking: no image'
refuses 1 'Is a directory' events "$dir/odd" "$dir"
result $? 'events: a directory'
if command -v python3 >/dev/null; then
	interrupted events
	result $? 'events: ^C'
else
	skip 'events: ^C' 'no python3'
fi
echo "1..$nr"
finish
