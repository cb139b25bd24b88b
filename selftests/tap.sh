# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
# shellcheck shell=bash
# Tests written in bash: each prints a KTAP line.

tap_nr=0
tap_failed=0

tap_ok() {	# NAME
	tap_nr=$((tap_nr + 1))
	printf 'ok %d %s\n' "$tap_nr" "$1"
}

tap_not_ok() {	# NAME
	tap_nr=$((tap_nr + 1))
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d %s\n' "$tap_nr" "$1"
}

tap_skip() {	# NAME REASON
	tap_nr=$((tap_nr + 1))
	printf 'ok %d %s # SKIP %s\n' "$tap_nr" "$1" "$2"
}

# Passes if COMMAND does; shows what it printed if it does not.
tap() {	# NAME COMMAND...
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		tap_ok "$name"
	else
		printf '%s\n' "$out" | sed 's/^/# /'
		tap_not_ok "$name"
	fi
}

# Passes if COMMAND does and prints nothing.
tap_silent() {	# NAME COMMAND...
	local name=$1 out
	shift
	if out=$("$@" 2>&1) && [ -z "$out" ]; then
		tap_ok "$name"
	else
		printf '%s\n' "$out" | sed 's/^/# /'
		tap_not_ok "$name"
	fi
}

tap_end() {
	printf '1..%d\n' "$tap_nr"
	[ "$tap_failed" -eq 0 ]
}
