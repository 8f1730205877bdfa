/* asking.c - a prefork server whose application asks slshim for things, by include/slshim.h alone.
 *
 *     asking [-w workers]
 *
 * Each request is one call: GET /limit/SL_MAX_UNSHARED/50M, /limit_request/SL_MAX_GROWTH/1M,
 * /check, /recycle, /request_done or /measure/unshared. The reply is the worker's pid and what the
 * call returned, "absent" without slshim. The master replaces every worker that ends. It prints one
 * line with its port and its pid; SIGTERM ends it and its workers. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slshim.h"

enum { ABSENT = -100 };

static long long call(const char *name, const char *first, const char *second)
{
	if (strcmp(name, "limit") == 0 && slshim_limit)
		return slshim_limit(first, second);
	if (strcmp(name, "limit_request") == 0 && slshim_limit_request)
		return slshim_limit_request(first, second);
	if (strcmp(name, "check") == 0 && slshim_check)
		return slshim_check();
	if (strcmp(name, "recycle") == 0 && slshim_recycle)
		return slshim_recycle();
	if (strcmp(name, "request_done") == 0 && slshim_request_done)
		return slshim_request_done();
	if (strcmp(name, "measure") == 0 && slshim_measure)
		return slshim_measure(first);
	return ABSENT;
}

static void serve(int connection)
{
	char request[1024], name[64] = "", first[64] = "", second[64] = "";
	ssize_t got = read(connection, request, sizeof request - 1);
	long long answer;

	if (got <= 0)
		return;
	request[got] = '\0';
	sscanf(request, "GET /%63[^/ ]/%63[^/ ]/%63[^/ ]", name, first, second);
	answer = call(name, first, second);
	dprintf(connection, "HTTP/1.0 200 OK\r\n\r\n%9d ", (int)getpid());
	if (answer == ABSENT)
		dprintf(connection, "absent\n");
	else
		dprintf(connection, "%lld\n", answer);
}

static void start_worker(int listener)
{
	if (fork() != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (;;) {
		int connection = accept(listener, NULL, NULL);

		if (connection < 0)
			continue;
		serve(connection);
		close(connection);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int workers = argc == 3 && strcmp(argv[1], "-w") == 0 ? atoi(argv[2]) : 4;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 511) != 0) {
		perror("asking: listen");
		return 1;
	}
	getsockname(listener, (struct sockaddr *)&address, &size);
	printf("port %d pid %d\n", ntohs(address.sin_port), (int)getpid());
	fflush(stdout);
	for (int i = 0; i < workers; i++)
		start_worker(listener);
	while (wait(NULL) > 0)
		start_worker(listener);
	return 0;
}
