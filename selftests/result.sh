# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
# shellcheck shell=sh
# Tests written for any sh, as a VM may have no other: each prints a KTAP line.
# What of the files that $shown names is there is shown when a test fails.

nr=0
failed=0
shown=

# result STATUS NAME: STATUS 0 is good.
result()
{
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr $2"
		return
	fi
	echo "not ok $nr $2"
	failed=1
	for result_file in $shown; do
		tail -n 60 "$result_file" 2>/dev/null | sed 's/^/# /'
	done
}

# skip NAME REASON
skip()
{
	nr=$((nr + 1))
	echo "ok $nr $1 # SKIP $2"
}

# skip_all REASON: the test ends here.
skip_all()
{
	echo "1..0 # SKIP $1"
	exit 4
}

# The test ends, with the status for what was seen.
finish()
{
	exit $failed
}
