#!/bin/sh
# Runs a command in a Debian tree, as the first process of namespaces of its own: with processes, a
# network, mounts, a host name and control groups that are its own. What it writes is gone with it.
# $SHARED names folders that are those of the host. Needs root.
# usage: boot.sh TREE CONTROL_GROUP COMMAND...
set -eu
export SHARED="${SHARED:-}"
echo $$ >"$2/cgroup.procs"
case $SHARED in
*cgroup*) groups= ;;
*) groups=--cgroup ;;
esac
exec unshare --pid --net --mount --ipc --uts $groups --fork --kill-child sh -euc '
	mount -t tmpfs -o mode=755 scratch /mnt
	mkdir /mnt/above /mnt/work /mnt/root
	mount -t overlay -o "lowerdir=$1,upperdir=/mnt/above,workdir=/mnt/work" overlay /mnt/root
	shift 2
	cd /mnt/root
	mount -t proc proc proc
	mount -t sysfs sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs -o mode=755 devices dev
	for device in null zero full random urandom tty; do
		touch "dev/$device"
		mount --bind "/dev/$device" "dev/$device"
	done
	ln -s /proc/self/fd dev/fd
	ln -s fd/0 dev/stdin
	ln -s fd/1 dev/stdout
	ln -s fd/2 dev/stderr
	mkdir dev/pts dev/shm
	mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	for place in dev/shm run tmp; do
		mount -t tmpfs tmpfs "$place"
	done
	for place in $SHARED; do
		mount --rbind "/$place" "$place"
	done
	hostname debian
	ip link set lo up
	mkdir mnt/outside
	pivot_root . mnt/outside
	umount -l /mnt/outside
	exec "$@"' boot "$@"
