# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
# shellcheck shell=bash
# Completion of ramload's command line for bash

# Words, and for each option of a command what may follow it: words, FILE, DIR,
# or nothing that could be known; "," before them if several may, with commas.
declare -gA _ramload_options=(
	[info]="--offset= --format=formats --layer=FILE --json --help"
	[load]="--offset= --format=formats --layer=FILE --engine=engines
		--workers= --direct=directs --dontcache --dest=memories
		--sha256 --dump=DIR --json --help"
	[convert]="--offset= --format=formats --layer=FILE --engine=engines
		--workers= --direct=directs --dontcache --ram-only
		--direct-write --json --help"
	[bench]="--image=,patterns,FILE --size= --dest=,memories
		--cache=,caches --method=,methods --workers= --rounds=
		--touch=touches --dir=DIR --plot=FILE --json --csv --help"
	[stat]="--pid= --context= --sort=keys --json --prometheus --help"
	[watch]="--pid= --context= --sort=keys --interval= --once --seconds=
		--help"
)
declare -gA _ramload_words=(
	[formats]="mapped-ram libvirt elf raw criu cloud-hypervisor"
	[engines]="auto kernel user"
	[directs]="auto on off"
	[memories]="ramload memfd tmpfs-huge anon thp hugetlb"
	[patterns]="dense idle alternating random clusters"
	[caches]="warm cold cold-direct"
	[touches]="all present none"
	[methods]="kernel kernel-ranges user pread preadv processes memcpy
		pwrite sendfile copy-range io_uring io_uring-fixed uffd
		private limit"
	[keys]="id pid bytes rate time"
)

# Adds to COMPREPLY what may stand for $cur, before which there is $before.
_ramload_reply() {	# KIND
	case $1 in
	FILE)
		compopt -o filenames 2>/dev/null
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY \
			< <(compgen -f -P "$before" -- "$cur")
		;;
	DIR)
		compopt -o filenames 2>/dev/null
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY \
			< <(compgen -d -P "$before" -- "$cur")
		;;
	*)
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY \
			< <(compgen -W "${_ramload_words[$1]-}" -P "$before" \
				-- "$cur")
		;;
	esac
}

# What may follow an option of a command; false if nothing has to.
_ramload_value() {	# COMMAND OPTION
	local option kind kinds

	for option in ${_ramload_options[$1]}; do
		[[ $option == "$2="* ]] || continue
		IFS=, read -ra kinds <<< "${option#*=}"
		if [[ $option == *=,* && $cur == *,* ]]; then
			before=${cur%,*},
			cur=${cur##*,}
			compopt -o nospace 2>/dev/null
		fi
		for kind in "${kinds[@]}"; do
			[[ -z $kind ]] || _ramload_reply "$kind"
		done
		return 0
	done
	return 1
}

_ramload_names() {	# COMMAND
	local option

	for option in ${_ramload_options[$1]}; do
		echo "${option%%=*}"
	done
}

_ramload() {
	local cur=${COMP_WORDS[COMP_CWORD]} before=
	local previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}

	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"${!_ramload_options[*]} --help --version" -- "$cur")
		return
	fi
	[[ -n ${_ramload_options[$command]-} ]] || return 0
	# "--engine=k" is three words.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $previous == = ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if _ramload_value "$command" "$previous"; then
		return
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_ramload_names "$command")" -- "$cur")
	elif [[ $command != @(bench|stat|watch) ]]; then
		_ramload_reply FILE
	fi
}

complete -F _ramload ramload
