/* socket.h - an option of OpenBSD's sockets, and what it tells. */
#ifndef SLSHIM_STUB_OPENBSD_SOCKET_H
#define SLSHIM_STUB_OPENBSD_SOCKET_H

#include_next <sys/socket.h>

#include <stddef.h>

enum { SO_PEERCRED = 0x1022 };

struct sockpeercred {
	char before_pid[8];
	int pid;
};
_Static_assert(sizeof(struct sockpeercred) == 12, "sockpeercred");
_Static_assert(offsetof(struct sockpeercred, pid) == 8, "pid");

#endif
