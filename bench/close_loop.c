/* close_loop.c - what the instruction counts are taken of: a forked worker that makes the same
 * calls many times.
 *
 *     close_loop close N    N closes of a descriptor that is no connection
 *     close_loop pair N     N accepts and closes of a connection
 *
 * The connections are made first, all of them, so that nothing but the calls is in the loop. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 400 };

static int open_listener(struct sockaddr_un *place, socklen_t *size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	*place = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (bind(fd, (struct sockaddr *)place, sizeof place->sun_family) != 0 ||
	    listen(fd, MOST) != 0 || getsockname(fd, (struct sockaddr *)place, size) != 0)
		exit(1);
	return fd;
}

static void __attribute__((noinline)) close_many(int count)
{
	for (int i = 0; i < count; i++)
		close(1000); /* not open: the price of the call alone */
}

static void __attribute__((noinline)) pair_many(int listener, int count)
{
	for (int i = 0; i < count; i++)
		close(accept(listener, NULL, NULL));
}

int main(int argc, char **argv)
{
	struct sockaddr_un place;
	socklen_t size = sizeof place;
	int listener = open_listener(&place, &size), status;
	int count = argc == 3 ? atoi(argv[2]) : 0;

	if (count < 1 || count > MOST)
		return 64;
	for (int i = 0; i < count; i++)
		if (connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&place, size) != 0)
			return 1;
	if (fork() == 0) {
		if (strcmp(argv[1], "pair") == 0)
			pair_many(listener, count);
		else
			close_many(count);
		_exit(0);
	}
	wait(&status);
	return status != 0;
}
