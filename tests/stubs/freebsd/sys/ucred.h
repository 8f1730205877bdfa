/* ucred.h - what FreeBSD tells of a peer, as far as it is read, where it is on 64-bit machines
 * (FreeBSD 13 to 15; <sys/ucred.h> of its sources). Older kernels have 0 in the place of cr_pid. */
#ifndef SLSHIM_STUB_FREEBSD_UCRED_H
#define SLSHIM_STUB_FREEBSD_UCRED_H

#include <stddef.h>

enum { XUCRED_VERSION = 0 };

struct xucred {
	unsigned cr_version;
	char before_cr_pid[76];
	int cr_pid;
	char after_cr_pid[4];
};
_Static_assert(sizeof(struct xucred) == 88, "xucred");
_Static_assert(offsetof(struct xucred, cr_version) == 0, "cr_version");
_Static_assert(offsetof(struct xucred, cr_pid) == 80, "cr_pid");

#endif
