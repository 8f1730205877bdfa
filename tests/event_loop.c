/* event_loop.c - a prefork server whose workers serve many connections at a time, in a loop around
 * one kind of wait.
 *
 *     event_loop WAIT
 *
 * Four workers answer what comes on kept-alive connections until the clients close these; WAIT is
 * poll, ppoll, select, pselect, epoll_wait, epoll_pwait or epoll_pwait2, or, with epoll_wait, edge
 * or exclusive for how they wait for the listener. The master replaces each that ends, until
 * SIGTERM. It prints one line with its port and its pid, and on standard error each status that is
 * not 0.
 *
 * A worker ends with status 3 where a wait tells what it must not: that no time is left, though
 * there is no limit, another number than there are events, or changed interests. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 4, MOST = 256 };

static int listener, epoll_set;
static const char *kind;

static void fail_if(bool failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(1);
	}
}

static void expect(bool is_so)
{
	if (!is_so)
		_exit(3);
}

static bool is(const char *name)
{
	return strcmp(kind, name) == 0;
}

/* ------------------------------------------------------------- the connections */

static bool is_open[MOST]; /* by descriptor */

static void add_to_epoll(int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	fail_if(epoll_ctl(epoll_set, EPOLL_CTL_ADD, fd, &event) != 0, "epoll_ctl");
}

static void accept_all(void)
{
	int connection;

	while ((connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		fail_if(connection >= MOST, "too many connections");
		is_open[connection] = true;
		if (epoll_set > 0)
			add_to_epoll(connection, EPOLLIN);
	}
	fail_if(errno != EAGAIN && errno != EINTR, "accept");
}

/* A request comes in one piece. */
static void serve(int connection)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"
	                            "Content-Length: 3\r\n\r\nok\n";
	char request[4096];
	ssize_t got = recv(connection, request, sizeof request, 0);

	if (got > 0 && send(connection, reply, sizeof reply - 1, MSG_NOSIGNAL) > 0)
		return;
	if (got < 0 && errno == EAGAIN)
		return;
	is_open[connection] = false;
	close(connection);
}

static void handle(int fd)
{
	if (fd == listener)
		accept_all();
	else
		serve(fd);
}

/* ------------------------------------------------------------------- the waits */

static bool is_interrupted(int ready)
{
	fail_if(ready < 0 && errno != EINTR, kind);
	expect(ready != 0);
	return ready < 0;
}

static void wait_by_poll(void)
{
	struct pollfd set[MOST];
	int count = 0, ready, told = 0;

	set[count++] = (struct pollfd){.fd = listener, .events = POLLIN};
	for (int fd = 0; fd < MOST; fd++)
		if (is_open[fd])
			set[count++] = (struct pollfd){.fd = fd, .events = POLLIN, .revents = -1};
	ready = is("poll") ? poll(set, (nfds_t)count, -1) : ppoll(set, (nfds_t)count, NULL, NULL);
	expect(set[0].fd == listener && set[0].events == POLLIN);
	if (is_interrupted(ready))
		return;
	for (int i = 0; i < count; i++)
		told += set[i].revents != 0;
	expect(told == ready);
	for (int i = 0; i < count; i++)
		if (set[i].revents != 0)
			handle(set[i].fd);
}

static void wait_by_select(void)
{
	int ready, told = 0;
	fd_set set, was;

	FD_ZERO(&set);
	FD_SET(listener, &set);
	for (int fd = 0; fd < MOST; fd++)
		if (is_open[fd])
			FD_SET(fd, &set);
	was = set;
	ready = is("select") ? select(MOST, &set, NULL, NULL, NULL)
	                     : pselect(MOST, &set, NULL, NULL, NULL, NULL);
	if (is_interrupted(ready)) {
		expect(memcmp(&set, &was, sizeof set) == 0);
		return;
	}
	for (int fd = 0; fd < MOST; fd++)
		told += FD_ISSET(fd, &set) != 0;
	expect(told == ready);
	for (int fd = 0; fd < MOST; fd++)
		if (FD_ISSET(fd, &set))
			handle(fd);
}

#pragma weak epoll_pwait2 /* came with glibc 2.35 */
int epoll_pwait2(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);

static void wait_by_epoll(void)
{
	struct epoll_event events[16];
	int ready;

	if (is("epoll_pwait"))
		ready = epoll_pwait(epoll_set, events, 16, -1, NULL);
	else if (is("epoll_pwait2") && epoll_pwait2 != NULL)
		ready = epoll_pwait2(epoll_set, events, 16, NULL, NULL);
	else
		ready = epoll_wait(epoll_set, events, 16, -1);
	if (is_interrupted(ready))
		return;
	for (int i = 0; i < ready; i++)
		handle(events[i].data.fd);
}

/* ----------------------------------------------------------- workers and master */

static void work(void)
{
	bool is_by_poll = strstr(kind, "poll") == kind || is("ppoll");
	bool is_by_select = strstr(kind, "select") != NULL;

	signal(SIGTERM, SIG_DFL);
	if (!is_by_poll && !is_by_select) {
		epoll_set = epoll_create1(EPOLL_CLOEXEC);
		add_to_epoll(listener,
		             EPOLLIN | (is("edge") ? EPOLLET : 0) | (is("exclusive") ? EPOLLEXCLUSIVE : 0));
	}
	for (;;)
		is_by_poll ? wait_by_poll() : is_by_select ? wait_by_select() : wait_by_epoll();
}

static volatile sig_atomic_t is_over;

static void end(int signal)
{
	(void)signal;
	is_over = 1;
}

static pid_t workers[WORKERS];

static void start_worker(int place)
{
	workers[place] = fork();
	fail_if(workers[place] < 0, "fork");
	if (workers[place] == 0)
		work();
}

static void replace(pid_t gone)
{
	for (int i = 0; i < WORKERS; i++)
		if (workers[i] == gone)
			start_worker(i);
}

static void keep_workers(void)
{
	int status;
	pid_t gone;

	for (int i = 0; i < WORKERS; i++)
		start_worker(i);
	while (!is_over)
		if ((gone = waitpid(-1, &status, 0)) > 0 && !is_over) {
			if (status != 0)
				fprintf(stderr, "a worker ended with status %#x\n", (unsigned)status);
			replace(gone);
		}
	for (int i = 0; i < WORKERS; i++)
		kill(workers[i], SIGTERM);
}

int main(int count, char **words)
{
	struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sigaction ending = {.sa_handler = end};
	socklen_t size = sizeof place;

	if (count != 2) {
		fputs("usage: event_loop WAIT \n", stderr);
		return 2;
	}
	kind = words[1];
	sigaction(SIGTERM, &ending, NULL);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	fail_if(bind(listener, (struct sockaddr *)&place, size) != 0 || listen(listener, 511) != 0 ||
	            getsockname(listener, (struct sockaddr *)&place, &size) != 0,
	        "listen");
	printf("port %d pid %d\n", ntohs(place.sin_port), (int)getpid());
	fflush(stdout);
	keep_workers();
	return 0;
}
