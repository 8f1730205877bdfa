/* waiting.c - a prefork server for bench/waiting.py, whose workers have much that a careless look
 * would have to go through.
 *
 *     waiting WORKERS accept|epoll FILES
 *
 * Each worker opens FILES descriptors and serves: one connection after the other, each for one
 * request, or as many as there are in an event loop. The master replaces who ends. It prints one
 * line with its port and its pid. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener;

static void fail_if(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(1);
	}
}

#define REPLY(more) "HTTP/1.1 200 OK\r\n" more "Content-Length: 3\r\n\r\nok\n"

/* True while the connection goes on. */
static int answer(int connection, const char *reply)
{
	char request[4096];

	if (read(connection, request, sizeof request) <= 0)
		return 0;
	return write(connection, reply, strlen(reply)) > 0;
}

static void serve_one_by_one(void)
{
	for (;;) {
		int connection = accept(listener, NULL, NULL);

		if (connection < 0)
			continue;
		answer(connection, REPLY("Connection: close\r\n"));
		close(connection);
	}
}

static void watch(int set, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	fail_if(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0, "epoll_ctl");
}

static void accept_all(int set)
{
	int connection;

	while ((connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		watch(set, connection);
}

static void serve_all_at_once(void)
{
	enum { AT_A_TIME = 64 };
	struct epoll_event events[AT_A_TIME];
	int set = epoll_create1(EPOLL_CLOEXEC);

	fcntl(listener, F_SETFL, O_NONBLOCK);
	watch(set, listener);
	for (;;) {
		int count = epoll_wait(set, events, AT_A_TIME, -1);

		for (int i = 0; i < count; i++)
			if (events[i].data.fd == listener)
				accept_all(set);
			else if (!answer(events[i].data.fd, REPLY("")))
				close(events[i].data.fd);
	}
}

static void start_worker(const char *how, int files)
{
	if (fork() != 0)
		return;
	for (int i = 0; i < files; i++)
		fail_if(open("/dev/null", O_RDONLY) < 0, "open");
	if (strcmp(how, "epoll") == 0)
		serve_all_at_once();
	serve_one_by_one();
}

static int open_listener(void)
{
	struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof place;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	fail_if(bind(listener, (struct sockaddr *)&place, sizeof place) != 0, "bind");
	fail_if(listen(listener, 4096) != 0, "listen");
	fail_if(getsockname(listener, (struct sockaddr *)&place, &size) != 0, "getsockname");
	return ntohs(place.sin_port);
}

int main(int argc, char **argv)
{
	int workers, files;

	if (argc != 4) {
		fprintf(stderr, "usage: waiting WORKERS accept|epoll FILES\n");
		return 64;
	}
	workers = atoi(argv[1]);
	files = atoi(argv[3]);
	signal(SIGPIPE, SIG_IGN);
	printf("port %d pid %d\n", open_listener(), (int)getpid());
	fflush(stdout);
	for (int i = 0; i < workers; i++)
		start_worker(argv[2], files);
	for (;;) {
		if (wait(NULL) < 0)
			return 0;
		start_worker(argv[2], files);
	}
}
