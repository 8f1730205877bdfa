/* services.c - how workers serve a connection, and end it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hand_written.h"

#define REPLY "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n"

static void read_request(int connection)
{
	char request[4096];

	fail_if(recv(connection, request, sizeof request, 0) < 0, "recv");
}

/* The client closes first: a close with something unread would reset the connection. */
static void finish(int connection)
{
	char rest[4096];

	shutdown(connection, SHUT_WR);
	while (recv(connection, rest, sizeof rest, 0) > 0)
		;
}

void answer(int connection)
{
	static const char reply[] = REPLY;

	read_request(connection);
	if (send(connection, reply, sizeof reply - 1, 0) < 0)
		perror("hand_written: send");
	finish(connection);
}

/* -------------------------------------------------------------------- closes */

static void end_by_close(int connection)
{
	answer(connection);
	close(connection);
}

static void end_by_fclose(int connection)
{
	FILE *stream = fdopen(connection, "r+");

	answer(connection);
	fclose(stream);
}

/* Another file takes its place, and ends by a bare system call: no close() tells of either. */
static void end_by_dup2(int connection)
{
	answer(connection);
	dup2(listener, connection);
	syscall(SYS_close, connection);
}

static void end_by_close_range(int connection)
{
	enum { CLOSE_RANGE = 436 }; /* the same number everywhere; older headers lack it */

	answer(connection);
	fail_if(syscall(CLOSE_RANGE, connection, connection, 0) != 0, "close_range");
}

/* As inetd does: the connection goes on when its descriptor is closed. */
static void serve_as_standard_input(int connection)
{
	int saved = dup(STDIN_FILENO);

	dup2(connection, STDIN_FILENO);
	close(connection);
	answer(STDIN_FILENO);
	dup2(saved, STDIN_FILENO);
	close(saved);
}

static void log_late(int connection)
{
	static FILE *log;
	char name[32];

	answer(connection);
	close(connection);
	snprintf(name, sizeof name, "served.%d", (int)getpid());
	if (log == NULL)
		log = fopen(name, "w");
	fail_if(log == NULL, name);
	fprintf(log, "one\n");
}

/* ------------------------------------------------------------ other processes */

static _Noreturn void become_cgi(int connection)
{
	dup2(connection, STDOUT_FILENO);
	close(connection);
	execl("/usr/bin/printf", "printf", REPLY, (char *)NULL);
	_exit(1);
}

static void end_cgi(pid_t child, int connection)
{
	fail_if(child < 0 || waitpid(child, NULL, 0) != child, "cgi");
	finish(connection);
	close(connection);
}

static void fork_cgi(int connection)
{
	pid_t child;

	read_request(connection);
	child = fork();
	if (child == 0)
		become_cgi(connection);
	end_cgi(child, connection);
}

static void vfork_cgi(int connection)
{
	pid_t child;

	read_request(connection);
	child = vfork();
	if (child == 0)
		become_cgi(connection);
	end_cgi(child, connection);
}

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static int server_process; /* a socket whose other end serves what is passed to it */

static struct msghdr describe(struct iovec *byte, union control *control)
{
	return (struct msghdr){.msg_iov = byte,
	                       .msg_iovlen = 1,
	                       .msg_control = control,
	                       .msg_controllen = sizeof control->room};
}

static void pass_on(int connection)
{
	union control control = {.header = {.cmsg_level = SOL_SOCKET,
	                                    .cmsg_type = SCM_RIGHTS,
	                                    .cmsg_len = CMSG_LEN(sizeof connection)}};
	struct iovec byte = {"", 1};
	struct msghdr message = describe(&byte, &control);

	memcpy(CMSG_DATA(&control.header), &connection, sizeof connection);
	fail_if(sendmsg(server_process, &message, 0) != 1, "sendmsg");
	close(connection);
}

static _Noreturn void serve_what_is_passed(int from)
{
	for (;;) {
		char text;
		union control control;
		struct iovec byte = {&text, 1};
		struct msghdr message = describe(&byte, &control);
		int connection;

		if (recvmsg(from, &message, 0) != 1)
			_exit(0);
		memcpy(&connection, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof connection);
		end_by_close(connection);
	}
}

static void start_server_process(void)
{
	int ends[2];

	fail_if(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0, "socketpair");
	if (fork() == 0) {
		close(ends[0]);
		serve_what_is_passed(ends[1]);
	}
	close(ends[1]);
	server_process = ends[0];
}

static void *serve_in_thread(void *connection)
{
	end_by_close((int)(intptr_t)connection);
	return NULL;
}

static void start_thread(int connection)
{
	pthread_t thread;

	fail_if(pthread_create(&thread, NULL, serve_in_thread, (void *)(intptr_t)connection) != 0,
	        "pthread_create");
	pthread_detach(thread);
}

/* ------------------------------------------------------------------- handlers */

static volatile sig_atomic_t to_be_closed;

static void close_in_handler(int signal)
{
	(void)signal;
	close(to_be_closed);
}

/* A stack for what the kernel and the handler need, and 4 KB more; below it is nothing. */
static void make_small_stack(void)
{
	enum { AT_LEAST_FOR_SIGNAL = 51, HANDLER = 512, ROOM = 4096, PAGE = 65536 };
	struct sigaction action = {.sa_handler = close_in_handler, .sa_flags = SA_ONSTACK};
	size_t needed = getauxval(AT_LEAST_FOR_SIGNAL);
	size_t size = (needed > 0 ? needed : MINSIGSTKSZ) + HANDLER + ROOM;
	char *memory =
	    mmap(NULL, PAGE + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = {.ss_sp = memory + PAGE, .ss_size = size};

	fail_if(memory == MAP_FAILED || mprotect(memory, PAGE, PROT_NONE) != 0, "stack");
	fail_if(sigaltstack(&stack, NULL) != 0, "sigaltstack");
	close(-1); /* its first call would take much of a stack */
	sigaction(SIGUSR2, &action, NULL);
}

static void end_in_handler(int connection)
{
	static pid_t made_by;

	if (made_by != getpid())
		make_small_stack();
	made_by = getpid();
	answer(connection);
	to_be_closed = connection;
	raise(SIGUSR2);
}

/* Leaks what makes it cross a limit on memory, too. */
static void leak_and_end_in_handler(int connection)
{
	enum { MUCH = 64 << 10 };
	char *memory = malloc(MUCH);

	fail_if(memory == NULL, "malloc");
	memset(memory, 1, MUCH);
	end_in_handler(connection);
}

/* ------------------------------------------------------------------- memory */

/* Memory that is used and given back by MADV_FREE: the kernel takes it when it needs some. */
static char *used_and_freed_lazily(void)
{
	enum { MUCH = 16 << 20 };
	static char *memory;

	if (memory == NULL) {
		memory = mmap(NULL, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		fail_if(memory == MAP_FAILED, "mmap");
	}
	memset(memory, 1, MUCH);
	fail_if(madvise(memory, MUCH, MADV_FREE) != 0, "MADV_FREE");
	return memory;
}

static void free_lazily(int connection)
{
	used_and_freed_lazily();
	end_by_close(connection);
}

/* Every tenth connection takes half of it back, which raises no page fault. */
static void take_back(int connection)
{
	enum { HALF = 8 << 20 };
	static int number;
	char *memory = used_and_freed_lazily();

	if (++number % 10 == 0)
		memset(memory, 2, HALF);
	end_by_close(connection);
}

/* ----------------------------------------------------------- foreign descriptors */

enum { FOREIGN_FROM = 64, FOREIGN_COUNT = 16 };

/* Closes what it does not know, and has files of its own under those numbers, which nobody else
 * may have written to when it comes again. */
static void take_numbers(int connection)
{
	static int number;
	struct stat status;
	char name[32];
	int file;

	for (int fd = FOREIGN_FROM; number > 0 && fd < FOREIGN_FROM + FOREIGN_COUNT; fd++)
		fail_if(fstat(fd, &status) != 0 || status.st_size != 0, "foreign descriptor");
	answer(connection);
	close(connection);
	for (int fd = 3; fd < FOREIGN_FROM + FOREIGN_COUNT; fd++)
		if (fd != listener)
			syscall(SYS_close, fd);
	snprintf(name, sizeof name, "own.%d.%d", (int)getpid(), number++ % 8);
	file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	fail_if(file < 0, name);
	for (int fd = FOREIGN_FROM; fd < FOREIGN_FROM + FOREIGN_COUNT; fd++)
		fail_if(dup2(file, fd) != fd, "dup2");
	close(file);
}

/* --------------------------------------------------------------------- table */

static void prepare_nothing(void)
{
}

static const struct service services[] = {
    {"close", end_by_close, prepare_nothing},
    {"fclose", end_by_fclose, prepare_nothing},
    {"dup2", end_by_dup2, prepare_nothing},
    {"close_range", end_by_close_range, prepare_nothing},
    {"standard_input", serve_as_standard_input, prepare_nothing},
    {"late_log", log_late, prepare_nothing},
    {"fork_cgi", fork_cgi, prepare_nothing},
    {"vfork_cgi", vfork_cgi, prepare_nothing},
    {"passed", pass_on, start_server_process},
    {"threads", start_thread, prepare_nothing},
    {"in_handler", leak_and_end_in_handler, prepare_nothing},
    {"frees_lazily", free_lazily, prepare_nothing},
    {"takes_back", take_back, prepare_nothing},
    {"takes_numbers", take_numbers, prepare_nothing},
};

const struct service *find_service(const char *name)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (strcmp(services[i].name, name) == 0)
			return &services[i];
	return NULL;
}
