/* hooks_anywhere.c - a forked worker that calls the hooks where nobody expects it: in a signal
 * handler, in a vfork child, in an atexit handler. Prints a word for each that worked.
 *
 * It serves one connection after another to itself, so that with a limit in force each of these
 * is a close of a connection that is followed. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener;
static volatile sig_atomic_t connection = -1, closed_in_handler;

static int connect_to_self(void)
{
	struct sockaddr_un place;
	socklen_t size = sizeof place;
	int client = socket(AF_UNIX, SOCK_STREAM, 0), accepted;

	getsockname(listener, (struct sockaddr *)&place, &size);
	if (connect(client, (struct sockaddr *)&place, size) != 0)
		_exit(2);
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(client);
	return accepted;
}

static void close_in_handler(int signal)
{
	(void)signal;
	closed_in_handler = close(connection) == 0;
}

static void say(const char *word, int is_well)
{
	printf("%s%s\n", is_well ? "" : "NOT ", word);
	fflush(stdout);
}

static void serve_in_exit(void)
{
	int accepted = connect_to_self();

	errno = 1234;
	say("in exit", accepted >= 0 && close(accepted) == 0 && errno == 1234);
}

static void work(void)
{
	int status;
	pid_t child;

	connection = connect_to_self();
	signal(SIGUSR2, close_in_handler);
	raise(SIGUSR2);
	say("in a signal handler", closed_in_handler);

	connection = connect_to_self();
	child = vfork();
	if (child == 0) {
		close(connection); /* its own copy of the descriptor */
		_exit(0);
	}
	waitpid(child, &status, 0);
	say("after a vfork", status == 0 && close(connection) == 0);
	atexit(serve_in_exit);
	exit(0);
}

int main(void)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	int status;

	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&any, sizeof any.sun_family) != 0 ||
	    listen(listener, 8) != 0)
		return 1;
	if (fork() == 0)
		work();
	wait(&status);
	say("and left", status == 0);
	return 0;
}
