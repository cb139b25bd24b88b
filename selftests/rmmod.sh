#!/bin/sh
# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#
# The module cannot be removed while a context or a job is open, can be as soon
# as they are closed, and works when it is loaded again.

set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=selftests/result.sh
. "$here/result.sh"
# shellcheck source=selftests/hold.sh
. "$here/hold.sh"

# With rmmod of kmod as well as of busybox.
is_loaded()
{
	[ -d /sys/module/ramload ]
}

insert()
{
	if [ -e /lib/ramload.ko ]; then
		insmod /lib/ramload.ko
	else
		modprobe ramload
	fi
}

refuses_while_open()
{
	hold "$1" || return 1
	if rmmod ramload 2>/dev/null; then
		release
		return 1
	fi
	is_loaded || return 1
	release
}

removes()
{
	rmmod ramload && ! is_loaded && [ ! -e /dev/ramload ]
}

# Called by its name.
# shellcheck disable=SC2317
is_removed()
{
	rmmod ramload 2>/dev/null || ! is_loaded
}

inserts()
{
	# udev may take a moment.
	insert && is_loaded && wait_for [ -e /dev/ramload ]
}

# Whoever traces it does not keep it, nor is anything left behind.
removes_while_traced()
{
	echo 1 >"$events/ramload/enable" || return 1
	removes && [ ! -e "$events/ramload" ] && inserts &&
		[ "$(cat "$events/ramload/enable")" = 0 ]
}

echo "TAP version 13"
is_loaded || skip_all "the module is not loaded"
[ "$(id -u)" -eq 0 ] || skip_all "not root"
[ -e /lib/ramload.ko ] || modprobe -n -q ramload ||
	skip_all "the module could not be loaded again"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

echo "1..10"
refuses_while_open hold-context
result $? "is not removed while a context is open"
refuses_while_open hold-job
result $? "is not removed while a job is open"
removes
result $? "is removed"
inserts
result $? "is loaded again"
refuses_while_open hold-job
result $? "works again"
removes && inserts && removes && inserts
result $? "is removed and loaded several times"

# Who listens does not keep it, and hears nothing of another one.
removes_while_listened_to()
{
	hold hold-events || return 1
	removes && inserts
	status=$?
	release && return $status
}
removes_while_listened_to
result $? "is removed and loaded while somebody listens"

events=/sys/kernel/tracing/events
name="is removed while its events are traced"
if [ -e $events/ramload/enable ]; then
	removes_while_traced
	result $? "$name"
else
	nr=$((nr + 1))
	echo "ok $nr $name # SKIP no tracefs"
fi

# A context whose process is killed goes away by itself.
hold hold-job
kill -9 "$holder"
release 2>/dev/null
wait_for is_removed
result $? "is removed after its user was killed"
inserts
result $? "is loaded at last"
finish
