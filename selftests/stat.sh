#!/bin/sh
# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#
# "ramload stat" and "ramload watch" look at a load that is held half-way, at
# many jobs, and at none. What they see does not depend on how fast anything is.
#
# Functions are called by others that are given their names.
# shellcheck disable=SC2317

set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=selftests/result.sh
. "$here/result.sh"
# shellcheck source=selftests/hold.sh
. "$here/hold.sh"
PATH=$PATH:$here/../build
length=16777216
many=300

# run STATUS ARGUMENT...: whether ramload ends with that status
run()
{
	wanted=$1
	shift
	timeout -s KILL 120 ramload "$@" >"$dir/out" 2>"$dir/err"
	[ $? -eq "$wanted" ]
}

# What was printed, without anything to standard error.
quiet()
{
	run 0 "$@" && [ ! -s "$dir/err" ]
}

# The first value of a key that is so far from the left, of JSON as it is printed.
value()
{
	sed -n "s/^ \{$1\}\"$2\": \([^,]*\),\{0,1\}\$/\1/p" "$dir/out" |
		head -n 1
}

# Of the first job.
job_value()
{
	sed -n '/^  "jobs": \[/,$p' "$dir/out" |
		sed -n "s/^      \"$1\": \([^,]*\),\{0,1\}\$/\1/p" | head -n 1
}

start_load()
{
	ramload load "$file" --format raw --engine kernel --dest memfd \
		--direct off >"$dir/loaded" 2>&1 3>&- &
	load=$!
	wait_for half_done
}

# No more comes until the reads are released.
half_done()
{
	quiet stat --json || return 1
	done=$(job_value bytes_done)
	[ "${done:-0}" -gt 0 ]
}

shows_json()
{
	quiet stat --json && [ "$(value 2 view)" = '"all"' ] &&
		[ "$(value 2 interrupted)" = false ] &&
		[ "$(value 4 running)" = 1 ] &&
		[ "$(job_value state)" = '"running"' ] &&
		[ "$(job_value comm)" = '"ramload"' ] &&
		[ "$(job_value pid)" = "$load" ] &&
		[ "$(job_value bytes_total)" = "$length" ] &&
		[ "$(job_value bytes_done)" -gt 0 ] &&
		[ "$(job_value bytes_done)" -le $((length / 2)) ] &&
		[ "$(job_value error)" = 0 ] &&
		[ "$(job_value error_offset)" = null ]
}

shows_tables()
{
	quiet stat && grep -q '^contexts  1, with ' "$dir/out" &&
		grep -qE "^ *[0-9]+ +$load  ramload +[0-9]+ +1 " "$dir/out" &&
		grep -qE '  busy +[0-9]+ ' "$dir/out" &&
		grep -qE "^ *[0-9]+ +[0-9]+ +$load  ramload .* 16.0 MiB .* running$" \
			"$dir/out"
}

filters()
{
	quiet stat --json --pid "$load" && [ "$(job_value pid)" = "$load" ] &&
		context=$(job_value context) &&
		quiet stat --json --context "$context" --sort rate &&
		[ "$(job_value pid)" = "$load" ] &&
		quiet stat --json --pid 1 && [ -z "$(job_value pid)" ] &&
		quiet stat --json --context $((context + 1)) &&
		[ -z "$(job_value pid)" ] && ! grep -q '"tid"' "$dir/out"
}

# counter NAME: its value in the output
counter()
{
	sed -n "s/^$1 //p" "$dir/out"
}

exports()
{
	quiet stat --prometheus && [ "$(counter ramload_jobs_running)" = 1 ] &&
		[ "$(counter ramload_contexts)" = 1 ] &&
		[ "$(counter ramload_loaded_bytes_total)" -gt 0 ] &&
		grep -q "^ramload_context_jobs{context=\"[0-9]*\",pid=\"$load\",comm=\"ramload\"} 1\$" \
			"$dir/out" &&
		[ "$(grep -c '^# TYPE ' "$dir/out")" -eq \
			"$(grep -c '^# HELP ' "$dir/out")" ] &&
		grep _total "$dir/out" | grep -v '^#' >"$dir/counters"
}

# Of what was counted while the load was held, nothing is less now.
rises()
{
	quiet stat --prometheus &&
		awk 'NR == FNR { before[$1] = $2; next }
			$1 in before && $2 >= before[$1] { delete before[$1] }
			END {
				for (name in before)
					print name " was " before[name]
			}' "$dir/counters" "$dir/out" >"$dir/err" &&
		[ ! -s "$dir/err" ]
}

watches_once()
{
	quiet watch --once &&
		head -n 1 "$dir/out" | grep -q '^  JOB PROCESS .* LEFT$' &&
		[ "$(wc -l <"$dir/out")" -eq 2 ] &&
		tail -n 1 "$dir/out" |
			grep -qE "^ *[0-9]+ $load ramload +\[#* +\] +[0-9]+ +16.0 MiB "
}

nobody()
{
	su nobody -s /bin/sh -c "PATH=$PATH; $*" >"$dir/out" 2>"$dir/err" \
		</dev/null
}

# Without the right, nothing of others is seen, and that is said.
tells_of_rights()
{
	says='without CAP_NET_ADMIN only what this process itself loads'
	nobody ramload stat && grep -q "$says" "$dir/err" &&
		[ ! -s "$dir/out" ] &&
		nobody ramload watch --once && grep -q "$says" "$dir/err" &&
		[ "$(wc -l <"$dir/out")" -eq 1 ] &&
		nobody ramload stat --json && [ "$(value 2 view)" = '"own"' ] &&
		[ "$(value 2 totals)" = null ] || return 1
	nobody ramload stat --prometheus
	[ $? -eq 1 ] && grep -q 'needs CAP_NET_ADMIN' "$dir/err" &&
		[ ! -s "$dir/out" ]
}

# on_terminal COMMAND: in $dir/screen, until it ends; each thing at once
on_terminal()
{
	TERM=xterm script -qefc "$1" "$dir/screen" </dev/null >/dev/null \
		2>"$dir/err" 3>&- &
	terminal=$!
}

seen()
{
	cp "$dir/screen" "$dir/out" 2>/dev/null && grep -q "$1" "$dir/out"
}

escape=$(printf '\033')

draws()
{
	on_terminal "stty cols 80 rows 10; exec ramload watch --seconds 1"
	wait "$terminal" || return 1
	seen "$escape\[?1049h" && seen "$escape\[?1049l" &&
		seen "1 running, .* MB/s; in all " &&
		seen "  JOB PROCESS .* LEFT" &&
		seen "ramload  *\[$escape\[32m##*$escape\[0m *\]"
}

draws_without_colour()
{
	on_terminal "stty cols 80; NO_COLOR=1 exec ramload watch --seconds 1"
	wait "$terminal" && seen "ramload  *\[##* *\]" && ! seen "$escape\[32m"
}

draws_dumbly()
{
	on_terminal "TERM=dumb exec ramload watch --seconds 1"
	wait "$terminal" && seen "ramload  *\[##* *\]" && ! seen "$escape"
}

# The terminal becomes narrow, and what is drawn on it.
follows_size()
{
	on_terminal "stty cols 80
		ramload watch & echo \$! >$dir/pid
		while [ ! -e $dir/narrow ]; do sleep 0.1; done
		stty cols 30; wait \$!"
	wait_for seen "  JOB PROCESS " || return 1
	: >"$dir/narrow"
	wait_for seen "  JOB   % LEFT"
	status=$?
	kill -TERM "$(cat "$dir/pid")"
	wait "$terminal"
	[ $? -eq 143 ] && [ "$status" -eq 0 ]
}

# It hears of the end, and of a signal.
watches_end()
{
	: >"$dir/watched"
	ramload watch >"$dir/watched" 2>"$dir/err" 3>&- &
	watcher=$!
	wait_for grep -q " $load ramload " "$dir/watched" || return 1
	echo >&3
	wait "$load" || return 1
	wait_for grep -qE " $load ramload .* 100 .* done$" "$dir/watched"
	status=$?
	cp "$dir/watched" "$dir/out"
	kill -INT "$watcher"
	wait "$watcher"
	[ $? -eq 130 ] && [ "$status" -eq 0 ]
}

shows_end()
{
	quiet stat --json && [ "$(value 4 running)" = 0 ] &&
		[ "$(value 4 contexts)" = 0 ] && [ -z "$(job_value id)" ]
}

# It has read the signal, and asks for no more of them then.
has_taken_signal()
{
	blocked=$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$load/status")
	[ $((0x$blocked & 2)) -eq 0 ]
}

# It waits, for the end of its job; what is to be done before has been done.
sleeps()
{
	grep -q '^State:.S' "/proc/$load/status"
}

# A load that is interrupted is seen as that.
cancels()
{
	hold hold-reads || return 1
	file=$(cut -d ' ' -f 1 "$dir/ready")
	quiet stat --json
	before=$(value 4 cancelled)
	start_load || return 1
	kill -INT "$load"
	wait_for has_taken_signal && wait_for sleeps
	echo >&3
	wait "$load"
	quiet stat --json && [ "$(value 4 cancelled)" -eq $((before + 1)) ]
	status=$?
	release
	return "$status"
}

shows_many()
{
	hold hold-jobs $many || return 1
	quiet stat --json && [ "$(grep -c '"bytes_total"' "$dir/out")" -eq $many ] &&
		quiet watch --once && [ "$(grep -c ' done$' "$dir/out")" -eq $many ] &&
		quiet stat --sort time && [ "$(grep -c ' done$' "$dir/out")" -eq $many ]
	status=$?
	release
	return "$status"
}

draws_many()
{
	hold hold-jobs $many || return 1
	on_terminal "stty cols 80 rows 10; exec ramload watch --seconds 1"
	wait "$terminal"
	status=$?
	release
	seen "^more than there is room for" && [ "$status" -eq 0 ]
}

# It ends when nobody reads what it says.
breaks_off()
{
	timeout -s KILL 120 sh -c "ramload watch 2>$dir/err; echo \$? >$dir/status" |
		true
	wait_for [ -s "$dir/status" ] && [ "$(cat "$dir/status")" -eq 1 ] &&
		grep -q 'standard output' "$dir/err"
}

refuses_usage()
{
	for line in "stat x" "stat --x" "stat --sort x" "stat --pid 0" \
		"stat --context x" "stat --prometheus --pid 1" \
		"stat --prometheus --json" "watch x" "watch --sort x" \
		"watch --seconds 0" "watch --interval 3601"; do
		# shellcheck disable=SC2086
		run 2 $line && [ ! -s "$dir/out" ] && [ -s "$dir/err" ] ||
			return 1
	done
}

insert()
{
	if [ -e /lib/ramload.ko ]; then
		insmod /lib/ramload.ko
	else
		modprobe ramload
	fi
}

# As if there were one without the family, which there is not now.
tells_of_older_module()
{
	unshare -m sh -c 'mount -t tmpfs none /sys/module &&
		mkdir /sys/module/ramload &&
		echo live >/sys/module/ramload/initstate && ramload stat' 2>"$dir/err"
	[ $? -eq 1 ] && grep -q 'is older than this tool' "$dir/err"
}

# Without the module, and when that goes away meanwhile.
tells_of_module()
{
	hold hold-job || return 1
	ramload watch >"$dir/out" 2>"$dir/gone" 3>&- &
	watcher=$!
	wait_for grep -q ' fd_helper ' "$dir/out"
	release
	# It may be asking just now.
	wait_for rmmod ramload 2>/dev/null || return 1
	wait "$watcher"
	[ $? -eq 1 ] && grep -q 'the ramload module was removed' "$dir/gone" &&
		run 1 stat && grep -qx 'ramload: the ramload module is not loaded' \
			"$dir/err" &&
		run 1 watch && grep -q 'not loaded' "$dir/err" &&
		tells_of_older_module
	status=$?
	insert
	wait_for [ -c /dev/ramload ]
	quiet stat && return "$status"
}

echo "TAP version 13"
[ -c /dev/ramload ] || skip_all "the module is not loaded"
[ "$(id -u)" -eq 0 ] || skip_all "not root"
dir=$(mktemp -d) || exit 1
shown="$dir/out $dir/err"
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
: >"$dir/out" && : >"$dir/err"
hold hold-reads || skip_all "$(cat "$dir/ready")"
file=$(cut -d ' ' -f 1 "$dir/ready")

echo "1..20"
start_load
result $? "a load is half done"
for test in shows_json shows_tables filters exports watches_once \
	tells_of_rights; do
	$test
	result $? $test
done
for test in draws draws_without_colour draws_dumbly follows_size; do
	if command -v script >/dev/null; then
		$test
		result $? $test
	else
		skip $test "there is no script(1)"
	fi
done
for test in watches_end shows_end rises; do
	$test
	result $? $test
done
release
cancels
result $? cancels
shows_many
result $? shows_many
if command -v script >/dev/null; then
	draws_many
	result $? draws_many
else
	skip draws_many "there is no script(1)"
fi
refuses_usage
result $? refuses_usage
breaks_off
result $? breaks_off
tells_of_module
result $? tells_of_module
finish
