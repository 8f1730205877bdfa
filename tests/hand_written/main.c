/* main.c - the prefork servers that people write: one loop, put together from the parts that the
 * options name.
 *
 *     hand_written [-a WAIT] [-s SERVICE] [-l LOCK] [-o ODDITY] [-u PATH] [-p PORT]
 *
 * Eight workers take the lock, wait, accept, release the lock, serve and end the connection. The
 * master replaces each that ends, until SIGTERM; SIGQUIT makes a worker leave between two
 * connections, and SIGHUP the master sends it to all of them. It prints one line with its port and
 * its pid, and on standard error each status that is not 0. -u listens on a unix socket instead,
 * -p at this port, and asks the kernel nothing about it.
 * The ODDITY is one of
 *
 *     stuck            a worker's atexit handler never returns
 *     deaf             workers go on after SIGQUIT
 *     helper           each worker keeps a process of its own
 *     accepting        the master accepts, too
 *     clone            workers are made by a bare clone()
 *     chroot           each worker confines itself to the directory that it is in
 *     chroot_tidy      ... and then closes what it did not open
 *     chroot_filter    ... and may not call pidfd_open()
 *     chroot_threads   ... and has a thread that sleeps
 *     never_replaces   the master lets workers go
 *     slow             the master takes a third of a second to replace one
 *     thread_pool      each worker has four threads that do all that workers do
 *     cancelled        each worker first has a thread that is cancelled when it accepts
 *     lone             a single worker, beside helpers that wait for another listener
 *     closed           1 and 2 are closed before the lock is made, whose token may land there
 *     closed_error     2 alone is closed
 *     own_listener     each worker opens a listener of its own, with SO_REUSEPORT
 *     raw_accept       workers accept by a system call of their own, ...
 *     deep_accept      ... in a library that was opened with RTLD_DEEPBIND, ...
 *     uring_accept     ... or by io_uring
 *     unlink           the master's atexit handler, which workers inherit, unlinks the socket */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hand_written.h"

enum { WORKERS = 8, THREADS = 4 };

int listener = -1;

static const struct wait *how_to_wait;
static const struct accept *how_to_accept;
static const struct service *service;
static const struct lock *lock;
static const char *oddity = "", *path;
static struct sockaddr_in place = {.sin_family = AF_INET};

void fail_if(bool failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(1);
	}
}

static bool is_odd(const char *way)
{
	return strcmp(oddity, way) == 0;
}

/* ------------------------------------------------------------------ listener */

static void open_socket(int family, const void *address, socklen_t size)
{
	int on = 1;

	listener = socket(family, SOCK_STREAM | (how_to_wait->blocks ? 0 : SOCK_NONBLOCK), 0);
	if (is_odd("own_listener"))
		setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	fail_if(bind(listener, address, size) != 0, "bind");
}

static void start_to_listen(void)
{
	fail_if(listen(listener, 511) != 0, "listen");
}

static void open_internet_socket(void)
{
	socklen_t size = sizeof place;

	place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	open_socket(AF_INET, &place, sizeof place);
	fail_if(place.sin_port == 0 && getsockname(listener, (struct sockaddr *)&place, &size) != 0,
	        "getsockname");
}

static void open_unix_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	open_socket(AF_UNIX, &address, sizeof address);
}

static void unlink_socket(void)
{
	unlink(path);
}

/* ------------------------------------------------------------------- workers */

static volatile sig_atomic_t is_asked_to_leave;

static void ask_to_leave(int signal)
{
	(void)signal;
	is_asked_to_leave = !is_odd("deaf");
}

static void get_stuck(void)
{
	for (;;)
		pause();
}

static void serve_one(void)
{
	int connection;

	lock->take();
	how_to_wait->wait();
	connection = how_to_accept->accept();
	fail_if(connection < 0 && errno != EAGAIN && errno != EINTR, "accept");
	lock->release();
	if (connection >= 0)
		service->serve(connection);
}

static void *serve_until_asked(void *nothing)
{
	while (!is_asked_to_leave)
		serve_one();
	return nothing;
}

static void *accept_when_cancelled(void *nothing)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(state, &state);
	accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return nothing;
}

static void be_cancelled(void)
{
	pthread_t thread;
	void *result;

	fail_if(pthread_create(&thread, NULL, accept_when_cancelled, NULL) != 0, "pthread_create");
	pthread_join(thread, &result);
	fail_if(result != PTHREAD_CANCELED, "pthread_cancel");
}

/* For whom the master has another listener. */
static int admin_listener = -1;

static void open_admin_listener(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	admin_listener = socket(AF_INET, SOCK_STREAM, 0);
	fail_if(bind(admin_listener, (struct sockaddr *)&any, sizeof any) != 0, "bind");
	fail_if(listen(admin_listener, 1) != 0, "listen");
}

static _Noreturn void serve_admin(void)
{
	struct pollfd set = {.fd = admin_listener, .events = POLLIN};

	for (;;)
		if (poll(&set, 1, -1) > 0)
			close(accept(admin_listener, NULL, NULL));
}

static void keep_helper(void)
{
	if (fork() == 0)
		for (;;)
			pause();
}

/* Fails as on a kernel that has no such call. */
static void filter_pidfd_open(void)
{
	struct sock_filter steps[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};

	fail_if(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0, "PR_SET_NO_NEW_PRIVS");
	fail_if(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0, "PR_SET_SECCOMP");
}

static void *sleep_for_good(void *nothing)
{
	pause();
	return nothing;
}

static void confine(void)
{
	pthread_t thread;

	fail_if(chroot(".") != 0, "chroot");
	for (int fd = STDERR_FILENO + 1; is_odd("chroot_tidy") && fd < 1024; fd++)
		if (fd != listener)
			close(fd);
	if (is_odd("chroot_filter"))
		filter_pidfd_open();
	if (is_odd("chroot_threads"))
		fail_if(pthread_create(&thread, NULL, sleep_for_good, NULL) != 0, "pthread_create");
}

/* As Ruby's does from 3.3 on, in every worker. */
static void *wait_for_timers(void *unused)
{
	struct epoll_event event = {.events = EPOLLIN};
	int set = epoll_create1(EPOLL_CLOEXEC);

	fail_if(epoll_ctl(set, EPOLL_CTL_ADD, eventfd(0, EFD_CLOEXEC), &event) != 0, "epoll_ctl");
	while (epoll_wait(set, &event, 1, -1) != 0)
		;
	return unused;
}

static _Noreturn void work(void)
{
	struct sigaction action = {.sa_handler = ask_to_leave, .sa_flags = SA_RESTART};
	pthread_t thread;

	sigaddset(&action.sa_mask, SIGALRM); /* whose handler may jump, and would lose this one */
	sigaction(SIGQUIT, &action, NULL);
	if (strncmp(oddity, "chroot", 6) == 0)
		confine();
	if (is_odd("stuck"))
		atexit(get_stuck);
	if (is_odd("helper"))
		keep_helper();
	if (is_odd("cancelled"))
		be_cancelled();
	if (is_odd("timer_thread"))
		fail_if(pthread_create(&thread, NULL, wait_for_timers, NULL) != 0, "pthread_create");
	if (is_odd("own_listener")) {
		open_internet_socket(); /* at the same port: the master's only keeps it */
		start_to_listen();
	}
	for (int i = 1; is_odd("thread_pool") && i < THREADS; i++)
		fail_if(pthread_create(&thread, NULL, serve_until_asked, NULL) != 0, "pthread_create");
	serve_until_asked(NULL);
	exit(0);
}

/* -------------------------------------------------------------------- master */

static sigset_t child_ended;

/* The server has a process group of its own: its tests see to that. */
static void end_all(int number)
{
	signal(number, SIG_IGN);
	lock->remove();
	kill(0, number);
	_exit(0);
}

static void restart(int number)
{
	(void)number;
	kill(0, SIGQUIT);
}

static void start_worker(bool is_for_admin)
{
	pid_t worker = is_odd("clone") ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();

	fail_if(worker < 0, "fork");
	if (worker == 0) {
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, SIG_IGN);
		sigprocmask(SIG_UNBLOCK, &child_ended, NULL);
		if (is_for_admin)
			serve_admin();
		work();
	}
}

static void replace_the_gone(void)
{
	int status;

	while (waitpid(-1, &status, WNOHANG) > 0) {
		if (status != 0)
			fprintf(stderr, "hand_written: a worker ended with status %d\n", status);
		if (is_odd("slow"))
			nanosleep(&(struct timespec){.tv_nsec = 333000000}, NULL);
		if (!is_odd("never_replaces") && !is_odd("lone"))
			start_worker(false);
	}
}

static void wait_for_the_gone(void)
{
	int number;

	if (is_odd("accepting"))
		serve_one();
	else
		sigwait(&child_ended, &number);
}

static void find_parts(int argc, char **argv)
{
	int option;

	how_to_wait = find_wait("accept");
	service = find_service("close");
	lock = find_lock("none");
	while ((option = getopt(argc, argv, "a:s:l:o:u:p:")) != -1) {
		if (option == 'a')
			how_to_wait = find_wait(optarg);
		else if (option == 's')
			service = find_service(optarg);
		else if (option == 'l')
			lock = find_lock(optarg);
		else if (option == 'o')
			oddity = optarg;
		else if (option == 'u')
			path = optarg;
		else if (option == 'p')
			place.sin_port = htons((uint16_t)atoi(optarg));
	}
	how_to_accept = find_accept(oddity);
	if (how_to_wait == NULL || service == NULL || lock == NULL) {
		fprintf(stderr, "hand_written: there is no such part\n");
		exit(64);
	}
}

static void say_where(void)
{
	printf("port %d pid %d\n", ntohs(place.sin_port), (int)getpid());
	fflush(stdout);
}

int main(int argc, char **argv)
{
	find_parts(argc, argv);
	sigemptyset(&child_ended);
	sigaddset(&child_ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_ended, NULL);
	signal(SIGTERM, end_all);
	signal(SIGHUP, restart);
	signal(SIGQUIT, SIG_IGN);
	if (path != NULL)
		open_unix_socket();
	else
		open_internet_socket();
	if (!is_odd("own_listener"))
		start_to_listen();
	if (is_odd("lone"))
		open_admin_listener();
	if (is_odd("unlink"))
		atexit(unlink_socket);
	if (is_odd("closed") || is_odd("closed_error")) {
		say_where();
		close(STDERR_FILENO);
	}
	if (is_odd("closed"))
		close(STDOUT_FILENO);
	lock->make();
	service->prepare();
	if (!is_odd("closed") && !is_odd("closed_error"))
		say_where();
	for (int i = 0; i < WORKERS; i++)
		start_worker(is_odd("lone") && i > 0);
	for (;;) {
		wait_for_the_gone();
		replace_the_gone();
	}
}
