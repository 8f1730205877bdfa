/* socket.h - an option of AIX's sockets, and the beginning of what it tells. The whole is shorter
 * in 32-bit programs, whose numbers of threads are. */
#ifndef SLSHIM_STUB_AIX_SOCKET_H
#define SLSHIM_STUB_AIX_SOCKET_H

#include_next <sys/socket.h>

#include <stddef.h>

enum { SO_PEERID = 0x1009 };

struct peercred_struct {
	int pid;
	char after_pid[20];
};
_Static_assert(sizeof(struct peercred_struct) == 24, "peercred_struct");
_Static_assert(offsetof(struct peercred_struct, pid) == 0, "pid");

#endif
