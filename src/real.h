/* real.h - the next definitions of the interposed functions.
 *
 * Each pointer is usable at any time: until real_resolve() ran they make the plain system call,
 * because another library's constructor may close something before ours runs. Written once in
 * the constructor, read-only after, so no lock. */
#ifndef SLSHIM_REAL_H
#define SLSHIM_REAL_H

#include <sys/socket.h>

struct real {
	int (*accept)(int, struct sockaddr *restrict, socklen_t *restrict);
	int (*accept4)(int, struct sockaddr *restrict, socklen_t *restrict, int);
	int (*close)(int);
	int (*listen)(int, int);
};

extern struct real real;

/* Never called from a hook: dlsym may allocate, and an allocator may close. */
void real_resolve(void);

#endif
