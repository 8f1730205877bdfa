/* call_loop.c - what the instruction counts are taken of: a forked worker that makes the same
 * calls many times.
 *
 *     call_loop close N     N closes of a descriptor that is no connection
 *     call_loop accept N    N accepts of a connection
 *     call_loop pair N      N accepts and closes of a connection
 *     call_loop poll N      N polls of the listener
 *     call_loop epoll N     N waits by epoll for the listener
 *     call_loop pipe N      N pipes made and closed, beside a hundred that stay open
 *
 * The connections are made first, all of them, so that nothing but the calls is in the loop. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
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

static void __attribute__((noinline)) close_many(int listener, int count)
{
	(void)listener;
	for (int i = 0; i < count; i++)
		close(1000); /* not open: the price of the call alone */
}

static void __attribute__((noinline)) accept_many(int listener, int count)
{
	for (int i = 0; i < count; i++)
		accept(listener, NULL, NULL);
}

static void __attribute__((noinline)) pair_many(int listener, int count)
{
	for (int i = 0; i < count; i++)
		close(accept(listener, NULL, NULL));
}

static void __attribute__((noinline)) poll_many(int listener, int count)
{
	struct pollfd set = {.fd = listener, .events = POLLIN};

	for (int i = 0; i < count; i++)
		poll(&set, 1, 0);
}

static void __attribute__((noinline)) epoll_many(int listener, int count)
{
	struct epoll_event event = {.events = EPOLLIN};
	int set = epoll_create1(0);

	epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
	for (int i = 0; i < count; i++)
		epoll_wait(set, &event, 1, 0);
}

static void __attribute__((noinline)) pipe_many(int listener, int count)
{
	enum { KEPT = 100 };
	int ends[2];

	(void)listener;
	for (int i = 0; i < KEPT; i++)
		if (pipe(ends) != 0)
			_exit(1);
	for (int i = 0; i < count && pipe(ends) == 0; i++) {
		close(ends[0]);
		close(ends[1]);
	}
}

static const struct {
	const char *word;
	void (*make)(int listener, int count);
} calls[] = {
    {"close", close_many}, {"accept", accept_many}, {"pair", pair_many},
    {"poll", poll_many},   {"epoll", epoll_many},   {"pipe", pipe_many},
};

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
		for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
			if (strcmp(argv[1], calls[i].word) == 0)
				calls[i].make(listener, count);
		_exit(0);
	}
	wait(&status);
	return status != 0;
}
