/* foreign_constructor.c - a library that is preloaded beside ours and calls every hook from its
 * constructor, which runs before ours, and from its destructor, which runs after exit began.
 * Writes one letter for each time that all of them did as they should: 'c', then 'd'. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int all_work(void)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	socklen_t size = sizeof any;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	int first, second;

	if (bind(listener, (struct sockaddr *)&any, sizeof any.sun_family) != 0 ||
	    listen(listener, 2) != 0 || getsockname(listener, (struct sockaddr *)&any, &size) != 0)
		return 0;
	if (connect(client, (struct sockaddr *)&any, size) != 0)
		return 0;
	first = accept(listener, NULL, NULL);
	close(client);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(client, (struct sockaddr *)&any, size) != 0)
		return 0;
	second = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	errno = 0;
	if (first < 0 || second < 0 || close(first) != 0 || close(second) != 0 || close(client) != 0 ||
	    close(listener) != 0 || errno != 0)
		return 0;
	return close(listener) == -1 && errno == EBADF && accept(listener, NULL, NULL) == -1 &&
	       errno == EBADF && listen(listener, 1) == -1 && errno == EBADF;
}

static void tell(const char *letter)
{
	if (all_work() && write(STDOUT_FILENO, letter, 1) != 1)
		_exit(1);
}

__attribute__((constructor)) static void start(void)
{
	tell("c");
}

__attribute__((destructor)) static void end(void)
{
	tell("d");
}
