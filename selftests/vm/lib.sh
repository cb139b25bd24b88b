# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the scripts that fetch packages share. apt is only ever used with
# lists, sources and caches of our own under build/apt, so that the machine's
# configuration stays as it was; the mirrors are the machine's.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$top/build

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# Runs the rest of the script alone among those that ask for the same lock.
lock()
{
	mkdir -p "$build/locks"
	exec {lock_fd}>"$build/locks/$1"
	flock "$lock_fd"
}

# Prints "URI SUITE" of each source of the machine, in order. apt reads its
# two source formats itself; nothing is downloaded.
machine_sources()
{
	apt-get update --print-uris |
		sed -n "s|^'\\(.*\\)/dists/\\(.*\\)/InRelease'.*|\\1 \\2|p"
}

# Picks the Debian mirror among the machine's sources. Foreign repositories
# also call their suites "stable" or after a release, but have no updates.
debian_mirror()
{
	machine_sources | awk '
	$2 ~ /-updates$/ { rank = 3 }
	$2 ~ /^[a-z]+(-backports)?$/ { rank = $1 ~ /\/debian$/ ? 2 : 1 }
	rank > best { best = rank; mirror = $1 }
	{ rank = 0 }
	END { print mirror }'
}

security_mirror()
{
	machine_sources | awk '$2 ~ /-security$/ && !n++ { print $1 }'
}

# Sources of one Debian release. A machine may name only one of the two
# archives; mirrors keep them side by side. Backports are read for the two
# releases from which a newer QEMU or kernel is taken.
write_sources()
{
	local codename=$1 keys=/usr/share/keyrings/debian-archive-keyring.gpg
	local options=arch=amd64 main security suite
	local suites=("$codename" "$codename-updates")

	case $codename in
	bookworm | trixie) suites+=("$codename-backports") ;;
	esac
	main=$(debian_mirror)
	security=$(security_mirror)
	: "${main:=${security/debian-security/debian}}"
	: "${security:=$main-security}"
	[[ $main ]] || die "apt's sources name no Debian mirror"
	[[ ! -r $keys ]] || options+=" signed-by=$keys"

	for suite in "${suites[@]}"; do
		echo "deb [$options] $main $suite main"
	done
	echo "deb [$options] $security $codename-security main"
}

# apt_for CODENAME TOOL ARG...: TOOL (apt-get, apt-cache) on the private
# lists of that release.
apt_for()
{
	local dir=$build/apt/$1 tool=$2

	shift 2
	"$tool" -q -o Dir::Etc::SourceList="$dir/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" \
		-o APT::Sandbox::User=root -o APT::Get::List-Cleanup=true \
		-o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

is_fresh()
{
	[[ $(find "$build/apt/$1/fresh" -mmin -1440 2>/dev/null) ]]
}

# Downloads the lists of a release unless that was done within the last day.
apt_refresh()
{
	local codename=$1 dir=$build/apt/$1

	is_fresh "$codename" || (
		lock "apt-$codename"
		! is_fresh "$codename" || exit 0
		say "reading the package lists of $codename"
		mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
		write_sources "$codename" >"$dir/sources.list"
		apt_for "$codename" apt-get -qq update >&2 ||
			die "cannot read the package lists of $codename"
		touch "$dir/fresh"
	)
}

# The lists may be older than a point release that moved the packages.
apt_retry()
{
	apt_for "$@" && return
	rm -f "$build/apt/$1/fresh"
	apt_refresh "$1"
	apt_for "$@"
}

# Sets dir to an empty folder that does not outlive the script.
fresh_dir()
{
	dir=$1
	trap 'rm -rf "$dir"' EXIT
	rm -rf "$dir"
	mkdir -p "$dir"
}

# download CODENAME DIR PACKAGE...
download()
{
	local codename=$1 dir=$2

	shift 2
	(cd "$dir" && apt_retry "$codename" apt-get -qq download "$@" >&2)
}

# unpack_source DEB NAME DIR [PATH]...: a kernel's source, or parts of it.
unpack_source()
{
	local deb=$1 name=$2 dir=$3

	shift 3
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$name.tar.xz" |
		tar -xJ -C "$dir" --strip-components=1 "$@"
}
