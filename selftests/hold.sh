# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
# shellcheck shell=sh
# fd_helper, which holds something open, for tests written for any sh. They say
# where it lies ($here), and what directory there is for its files ($dir).
# shellcheck disable=SC2154
#
# Whatever else is started in the background has to close descriptor 3: with it
# open, it would keep the helper, which ends with its input.

holder=

# wait_for COMMAND...: until it succeeds; not for ever
wait_for()
{
	tries=600
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# hold ARGUMENT...: runs fd_helper until release is called; whether it is ready.
# One that a test which failed has left is released. What it says is in
# $dir/ready. That is emptied before: what the one before said
# would be read if the helper had its input, but not yet its output.
hold()
{
	[ -p "$dir/fifo" ] || mkfifo "$dir/fifo" || return 1
	release
	: >"$dir/ready"
	"$here/fd_helper" "$@" <"$dir/fifo" >"$dir/ready" &
	holder=$!
	exec 3>"$dir/fifo"
	wait_for [ -s "$dir/ready" ] && grep -q ready "$dir/ready"
}

# Nothing if nothing is held.
release()
{
	[ -n "$holder" ] || return 0
	exec 3>&-
	wait "$holder"
	release_status=$?
	holder=
	return $release_status
}
