#!/bin/sh
# A cell: another release of Debian, with what ./run needs, in which a command is run in a clean clone
# of this project's last commit. The tree of the release is kept in the build; the command runs in
# namespaces without a network, and what it writes is gone with it. Needs root and mmdebstrap.
# usage: tests/cell.sh RELEASE COMMAND...     tests/cell.sh trixie ./run test httpd
set -eu
release=$1
shift
top=$(cd "$(dirname "$0")/.." && pwd)
cells=${SLSHIM_BUILD:-$top/build}/cells
tree=$cells/$release
clone=$tree/srv/slshim
mkdir -p "$cells"

# No other cell of this release may run while its tree changes.
exec 9>"$tree.lock"
flock 9
if [ ! -d "$tree" ]; then
	rm -rf "$tree.unfinished"
	unshare --mount mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
		--include=ca-certificates,tini "$release" "$tree.unfinished"
	echo "127.0.0.1 localhost" >"$tree.unfinished/etc/hosts"
	mv "$tree.unfinished" "$tree"
fi
# What ./run has unpacked stays, because it was fetched from the network.
[ -d "$clone" ] || git init -q "$clone"
git -C "$clone" fetch -q --depth=1 "file://$top" HEAD
git -C "$clone" reset -q --hard FETCH_HEAD
git -C "$clone" clean -qffdx -e /build/unpacked
unshare --mount --pid --fork --kill-child --mount-proc --root="$tree" --wd=/srv/slshim ./run needs
flock -s 9

group=$(mktemp -d -p "$(findmnt --first-only -n -o TARGET -t cgroup2)" slshim-XXXXXX)
trap 'find "$group" -depth -type d -exec rmdir {} +' EXIT
# A file can be swapped to on a disk only, and the tests make control groups of whatever kind there is.
SHARED="var/tmp sys/fs/cgroup" "$top/tests/end_to_end/boot.sh" "$tree" "$group" tini -- \
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
	SLSHIM_NOTHING_SKIPPED=1 "SLSHIM_CELL=$release" env -C /srv/slshim "$@"
