#!/bin/sh
# Runs a command with processes, a network, /proc and /dev/shm of its own, so that several runs of the
# end-to-end tests do not see each other's servers. Needs root.
set -eu
exec unshare --pid --net --mount --ipc --fork --kill-child --mount-proc sh -euc '
	ip link set lo up
	mount -t tmpfs tmpfs /dev/shm
	exec tini -- "$@"' apart "$@"
