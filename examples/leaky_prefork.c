/* leaky_prefork.c - a prefork server as one writes it by hand, with the fault that slshim is for:
 * every request leaves a little more memory unshared, and nothing is ever given back.
 *
 *     leaky_prefork [-p port] [-w workers] [-m preloaded MB] [-l leaked KB a request]
 *
 * Speaks enough HTTP/1.0 for curl, ab and wrk. The master preloads its data, forks its workers
 * and replaces every one that ends. SIGQUIT makes a worker leave when it is between two requests;
 * SIGTERM ends the master and its workers. It prints one line with its port (0, the default,
 * takes any) and its pid. It knows nothing of slshim. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORKERS = 2048 };

static struct {
	int port, workers, preloaded_mb, leaked_kb;
} options = {0, 8, 64, 64};

static char *data;
static size_t data_size;
static volatile sig_atomic_t is_asked_to_leave;

static void ask_to_leave(int signal)
{
	(void)signal;
	is_asked_to_leave = 1;
}

static void handle(int signal, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigaction(signal, &action, NULL); /* without SA_RESTART: accept is to come back */
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int open_listener(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_port = htons((uint16_t)options.port),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 511) != 0)
		fail("leaky_prefork: listen");
	getsockname(fd, (struct sockaddr *)&address, &size);
	options.port = ntohs(address.sin_port);
	return fd;
}

/* Writes to the next pages of what the master preloaded, and starts over at its end: then what is
 * left to leak is the heap. */
static void leak(void)
{
	static size_t at;
	size_t leaked = (size_t)options.leaked_kb * 1024;

	if (at + leaked <= data_size)
		memset(data + at, getpid() & 0xff, leaked);
	else {
		char *lost = malloc(leaked);

		if (lost != NULL)
			memset(lost, 1, leaked);
		/* cppcheck-suppress memleak ; that is the fault */
	}
	at += leaked;
}

static void serve(int connection)
{
	static const char reply[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
	char request[4096];
	size_t got = 0;

	do {
		ssize_t more = read(connection, request + got, sizeof request - 1 - got);

		if (more <= 0)
			return;
		got += (size_t)more;
		request[got] = '\0';
	} while (strstr(request, "\r\n\r\n") == NULL && got < sizeof request - 1);
	leak();
	if (write(connection, reply, sizeof reply - 1) < 0)
		perror("leaky_prefork: write");
}

static _Noreturn void work(int listener)
{
	handle(SIGQUIT, ask_to_leave);
	while (!is_asked_to_leave) {
		int connection = accept(listener, NULL, NULL);

		if (connection < 0) {
			if (errno == EINTR || errno == EAGAIN || errno == ECONNABORTED)
				continue;
			fail("leaky_prefork: accept");
		}
		serve(connection);
		close(connection);
	}
	exit(0);
}

static pid_t workers[MAX_WORKERS];

static void start_worker(int i, int listener, const sigset_t *watched)
{
	workers[i] = fork();
	if (workers[i] == 0) {
		sigprocmask(SIG_UNBLOCK, watched, NULL);
		work(listener);
	}
}

static void replace_the_gone(int listener, const sigset_t *watched)
{
	int status;
	pid_t gone;

	while ((gone = waitpid(-1, &status, WNOHANG)) > 0) {
		if (status != 0)
			fprintf(stderr, "leaky_prefork: worker %d ended with status %d\n", (int)gone, status);
		for (int i = 0; i < options.workers; i++)
			if (workers[i] == gone)
				start_worker(i, listener, watched);
	}
}

/* Both signals are blocked and waited for, so that none comes between a look and a wait. */
static void keep_workers(int listener)
{
	sigset_t watched;
	int signal = 0;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGTERM);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	for (int i = 0; i < options.workers; i++)
		start_worker(i, listener, &watched);
	while (sigwait(&watched, &signal) == 0 && signal != SIGTERM)
		replace_the_gone(listener, &watched);
	for (int i = 0; i < options.workers; i++)
		if (workers[i] > 0)
			kill(workers[i], SIGTERM);
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	int listener, option;

	while ((option = getopt(argc, argv, "p:w:m:l:")) != -1)
		switch (option) {
		case 'p':
			options.port = atoi(optarg);
			break;
		case 'w':
			options.workers = atoi(optarg);
			break;
		case 'm':
			options.preloaded_mb = atoi(optarg);
			break;
		case 'l':
			options.leaked_kb = atoi(optarg);
			break;
		default:
			return 64;
		}
	if (options.workers < 1 || options.workers > MAX_WORKERS) {
		fprintf(stderr, "leaky_prefork: -w takes 1 to %d workers\n", MAX_WORKERS);
		return 64;
	}
	data_size = (size_t)options.preloaded_mb << 20;
	data = malloc(data_size + 1);
	if (data == NULL)
		fail("leaky_prefork: preload");
	memset(data, 1, data_size + 1);
	listener = open_listener();
	printf("port %d pid %d\n", options.port, (int)getpid());
	fflush(stdout);
	keep_workers(listener);
	return 0;
}
