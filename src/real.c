/* real.c - finds the functions that ours stand before. May not know: what they are wanted for. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "real.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call_accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size,
                        int flags)
{
	return (int)syscall(SYS_accept4, fd, address, size, flags);
}

/* Not every platform has SYS_accept; accept is accept4 without flags. */
static int call_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
	return call_accept4(fd, address, size, 0);
}

static int call_close(int fd)
{
	return (int)syscall(SYS_close, fd);
}

static int call_listen(int fd, int backlog)
{
	return (int)syscall(SYS_listen, fd, backlog);
}

struct real real = {call_accept, call_accept4, call_close, call_listen};

/* ISO C has no cast from an object pointer to a function pointer; POSIX says that the bits do. */
static void resolve(const char *name, void *function)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found != NULL)
		memcpy(function, &found, sizeof found);
}

void real_resolve(void)
{
	resolve("accept", &real.accept);
	resolve("accept4", &real.accept4);
	resolve("close", &real.close);
	resolve("listen", &real.listen);
}
