/* every_hook.h - one call of every hook that has to succeed and one that has to fail, on sockets
 * of its own; for wherever a hook may be called. Uses nothing but system calls and the stack. */
#ifndef SLSHIM_EVERY_HOOK_H
#define SLSHIM_EVERY_HOOK_H

#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(int listener)
{
	struct sockaddr_un place;
	socklen_t size = sizeof place;
	int client = socket(AF_UNIX, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&place, &size);
	return connect(client, (struct sockaddr *)&place, size) == 0 ? client : -1;
}

static int open_any_listener(void)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX}; /* the kernel chooses an abstract name */
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	bind(listener, (struct sockaddr *)&any, sizeof any.sun_family);
	return listen(listener, 8) == 0 ? listener : -1;
}

static int fails_with_ebadf(int result)
{
	return result == -1 && errno == EBADF;
}

static int every_hook_works(void)
{
	int listener = open_any_listener(), one = connect_to(listener), other = connect_to(listener);
	int first = accept(listener, NULL, NULL), second = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	errno = 1234;
	if (first < 0 || second < 0 || close(first) != 0 || close(second) != 0 || close(one) != 0 ||
	    close(other) != 0 || close(listener) != 0 || errno != 1234)
		return 0;
	return fails_with_ebadf(close(listener)) && fails_with_ebadf(listen(listener, 1)) &&
	       fails_with_ebadf(accept(listener, NULL, NULL)) &&
	       fails_with_ebadf(accept4(listener, NULL, NULL, 0));
}

#endif
