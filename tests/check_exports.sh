#!/bin/sh
# The library exports its hooks and what an application may call, and nothing else, and needs libc
# alone; and each of them is wherever it has to be.
# Given by make: $SLSHIM, the library; $SOURCE, the folder src/.
set -eu
exports=$(nm -D --defined-only "$SLSHIM" | awk '{print $3}' | LC_ALL=C sort | tr '\n' ' ')
needs=$(readelf -d "$SLSHIM" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sed 's/\.so.*//' | sort -u | tr '\n' ' ')
failures=0
expect() {
	if [ "$2" != "$3" ]; then
		echo "$1: \"$2\", but expected \"$3\""
		failures=1
	fi
}
expect "exports" "$exports" "__poll_chk __ppoll_chk accept accept4 chroot close dup2 dup3 epoll_create \
epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd fclose listen pipe pipe2 poll ppoll pselect pthread_mutexattr_setpshared select \
sem_init sem_open semop semtimedop slshim_check slshim_limit slshim_limit_request \
slshim_measure slshim_recycle slshim_request_done socketpair "
case $needs in
"libc " | "libc libdl " | "libc libpthread " | "libc libdl libpthread ") ;;
*) expect "needs" "$needs" "libc " ;;
esac

# needs WHOSE PATTERN FILE...
needs() {
	whose=$1 pattern=$2
	shift 2
	if ! cat "$@" | grep -qE "$pattern"; then
		echo "$whose: not in $*"
		failures=1
	fi
}
cd "$SOURCE/.."
for name in $exports; do
	short=${name#__}
	case $name in
	slshim_*)
		short=${name#slshim_}
		needs "$name" "[ *]$name\(.*SLSHIM_WEAK" include/slshim.h
		needs "$name" "^\.It Fn $name( |\$)" man/slshim.h.3
		needs "$name" "^\.Fn $name( |\$)" man/slshim.h.3
		for file in examples/Slshim.pm examples/slshim.php examples/slshim.py examples/slshim.rb \
			tests/end_to_end/configuration/test_application.py; do
			needs "$name" "\<(slshim_)?$short\>" "$file"
		done
		;;
	*)
		needs "$name" "\"$name\"" src/os/next.h src/os/next.c
		case $name in
		fclose | sem_open) # which allocate
			needs "$name" "\<$name\(" tests/hand_written/*.c
			;;
		*)
			needs "$name" "\<$name\(" tests/every_hook.h
			;;
		esac
		;;
	esac
done
exit $failures
