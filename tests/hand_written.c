/* hand_written.c - the prefork servers that people write: one loop, many ways to wait for a
 * connection and to close it.
 *
 *     hand_written WAIT CLOSE [stuck | deaf]
 *
 * WAIT is accept (a blocking listener), or, with a non-blocking one, poll, ppoll, select, pselect,
 * epoll_wait, epoll_pwait, epoll_pwait2 or exclusive (epoll_wait with EPOLLEXCLUSIVE). CLOSE is
 * close, fclose or dup2. SIGQUIT makes a worker leave between two connections, unless it is
 * deaf; a stuck one never comes back from its atexit handler. The master replaces every worker
 * that ends, until SIGTERM. It prints one line with its port and its pid, and on
 * standard error each status that is not 0. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener, epoll_set = -1;

/* ------------------------------------------------------------------- waits */

static void wait_in_accept(void)
{
}

static void wait_in_poll(void)
{
	struct pollfd set = {.fd = listener, .events = POLLIN};

	poll(&set, 1, -1);
}

static void wait_in_ppoll(void)
{
	struct pollfd set = {.fd = listener, .events = POLLIN};

	ppoll(&set, 1, NULL, NULL);
}

static void wait_in_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(listener, &set);
	select(listener + 1, &set, NULL, NULL, NULL);
}

static void wait_in_pselect(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(listener, &set);
	pselect(listener + 1, &set, NULL, NULL, NULL, NULL);
}

static void open_epoll(uint32_t flags)
{
	struct epoll_event event = {.events = EPOLLIN | flags};

	if (epoll_set >= 0)
		return;
	epoll_set = epoll_create1(0);
	epoll_ctl(epoll_set, EPOLL_CTL_ADD, listener, &event);
}

static void wait_in_epoll_wait(void)
{
	struct epoll_event event;

	open_epoll(0);
	epoll_wait(epoll_set, &event, 1, -1);
}

static void wait_in_epoll_pwait(void)
{
	struct epoll_event event;

	open_epoll(0);
	epoll_pwait(epoll_set, &event, 1, -1, NULL);
}

static void wait_in_epoll_pwait2(void)
{
	struct epoll_event event;

	open_epoll(0);
	epoll_pwait2(epoll_set, &event, 1, NULL, NULL);
}

static void wait_exclusively(void)
{
	struct epoll_event event;

	open_epoll(EPOLLEXCLUSIVE);
	epoll_wait(epoll_set, &event, 1, -1);
}

static const struct {
	const char *name;
	void (*wait)(void);
} waits[] = {
    {"accept", wait_in_accept},
    {"poll", wait_in_poll},
    {"ppoll", wait_in_ppoll},
    {"select", wait_in_select},
    {"pselect", wait_in_pselect},
    {"epoll_wait", wait_in_epoll_wait},
    {"epoll_pwait", wait_in_epoll_pwait},
    {"epoll_pwait2", wait_in_epoll_pwait2},
    {"exclusive", wait_exclusively},
};

/* ------------------------------------------------------------------ closes */

static void close_by_fclose(int connection)
{
	fclose(fdopen(connection, "r+"));
}

/* A close that no close() tells of. */
static void close_by_dup2(int connection)
{
	dup2(STDIN_FILENO, connection);
	syscall(SYS_close, connection);
}

static void close_by_close(int connection)
{
	close(connection);
}

static const struct {
	const char *name;
	void (*close)(int);
} closes[] = {{"close", close_by_close}, {"fclose", close_by_fclose}, {"dup2", close_by_dup2}};

/* ------------------------------------------------------------------ server */

static void serve(int connection)
{
	static const char reply[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
	char request[4096];

	if (read(connection, request, sizeof request) > 0 &&
	    write(connection, reply, sizeof reply - 1) < 0)
		perror("hand_written: write");
	shutdown(connection, SHUT_WR);
	while (read(connection, request, sizeof request) > 0)
		;
}

static volatile sig_atomic_t is_asked_to_leave;

static int is_deaf, is_stuck;

static void ask_to_leave(int signal)
{
	(void)signal;
	is_asked_to_leave = !is_deaf;
}

static void get_stuck(void)
{
	for (;;)
		pause();
}

static _Noreturn void work(void (*wait)(void), void (*close_one)(int))
{
	struct sigaction action = {.sa_handler = ask_to_leave};

	sigaction(SIGQUIT, &action, NULL);
	if (is_stuck)
		atexit(get_stuck);
	while (!is_asked_to_leave) {
		int connection;

		wait();
		connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (connection >= 0) {
			serve(connection);
			close_one(connection);
		} else if (errno != EAGAIN && errno != EINTR) {
			perror("hand_written: accept");
			exit(1);
		}
	}
	exit(0);
}

static void open_listener(int is_blocking)
{
	struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof place;

	listener = socket(AF_INET, SOCK_STREAM | (is_blocking ? 0 : SOCK_NONBLOCK), 0);
	if (bind(listener, (struct sockaddr *)&place, size) != 0 || listen(listener, 511) != 0 ||
	    getsockname(listener, (struct sockaddr *)&place, &size) != 0) {
		perror("hand_written: listen");
		exit(1);
	}
	printf("port %d pid %d\n", ntohs(place.sin_port), (int)getpid());
	fflush(stdout);
}

int main(int argc, char **argv)
{
	enum { WORKERS = 8 };
	void (*wait_for_one)(void) = NULL, (*close_one)(int) = NULL;
	int missing = WORKERS, status, signal = 0;
	sigset_t watched;

	for (size_t i = 0; argc > 2 && i < sizeof waits / sizeof *waits; i++)
		if (strcmp(argv[1], waits[i].name) == 0)
			wait_for_one = waits[i].wait;
	for (size_t i = 0; argc > 2 && i < sizeof closes / sizeof *closes; i++)
		if (strcmp(argv[2], closes[i].name) == 0)
			close_one = closes[i].close;
	if (wait_for_one == NULL || close_one == NULL)
		return 64;
	is_deaf = argc > 3 && strcmp(argv[3], "deaf") == 0;
	is_stuck = argc > 3 && strcmp(argv[3], "stuck") == 0;
	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGTERM);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	open_listener(wait_for_one == wait_in_accept);
	do {
		for (; missing > 0; missing--)
			if (fork() == 0) {
				sigprocmask(SIG_UNBLOCK, &watched, NULL);
				work(wait_for_one, close_one);
			}
		sigwait(&watched, &signal);
		for (; waitpid(-1, &status, WNOHANG) > 0; missing++)
			if (status != 0)
				fprintf(stderr, "hand_written: a worker ended with status %d\n", status);
	} while (signal != SIGTERM);
	kill(0, SIGTERM); /* a process group of its own: its tests see to that */
	return 0;
}
