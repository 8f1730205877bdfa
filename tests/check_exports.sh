#!/bin/sh
# The library exports its hooks and what an application may call, and nothing else, and needs libc alone.
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
expect "exports" "$exports" "__poll_chk __ppoll_chk accept accept4 close dup2 dup3 epoll_pwait epoll_pwait2 \
epoll_wait eventfd fclose listen pipe pipe2 poll ppoll pselect pthread_mutexattr_setpshared select \
sem_init sem_open semop semtimedop slshim_check slshim_limit slshim_limit_request \
slshim_measure slshim_recycle slshim_request_done socketpair "
case $needs in
"libc " | "libc libdl " | "libc libpthread " | "libc libdl libpthread ") ;;
*) expect "needs" "$needs" "libc " ;;
esac
exit $failures
