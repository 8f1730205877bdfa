/* un.h - an option of NetBSD's Unix sockets, and what it tells. */
#ifndef SLSHIM_STUB_NETBSD_UN_H
#define SLSHIM_STUB_NETBSD_UN_H

#include <stddef.h>

enum { LOCAL_PEEREID = 3 };

struct unpcbid {
	int unp_pid;
	char after_unp_pid[8];
};
_Static_assert(sizeof(struct unpcbid) == 12, "unpcbid");
_Static_assert(offsetof(struct unpcbid, unp_pid) == 0, "unp_pid");

#endif
