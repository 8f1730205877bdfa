/* waits.c - how workers wait for a connection. */
#define _GNU_SOURCE
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "hand_written.h"

static int epoll_set = -1;

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

#pragma weak epoll_pwait2 /* came with glibc 2.35 */
int epoll_pwait2(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);

static void wait_in_epoll_pwait2(void)
{
	struct epoll_event event;

	fail_if(epoll_pwait2 == NULL, "epoll_pwait2");
	open_epoll(0);
	epoll_pwait2(epoll_set, &event, 1, NULL, NULL);
}

static void wait_exclusively(void)
{
	struct epoll_event event;

	open_epoll(EPOLLEXCLUSIVE);
	epoll_wait(epoll_set, &event, 1, -1);
}

static sigjmp_buf before_wait;
static volatile sig_atomic_t is_waiting;

static void jump_out(int signal)
{
	(void)signal;
	if (is_waiting)
		siglongjmp(before_wait, 1);
}

static void start_to_jump(void)
{
	struct sigaction action = {.sa_handler = jump_out, .sa_flags = SA_RESTART};
	struct itimerspec often = {{0, 300000}, {0, 300000}};
	timer_t timer;

	sigaction(SIGALRM, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0)
		timer_settime(timer, 0, &often, NULL);
}

/* A handler does not return from where it interrupts the wait, wherever that is. */
static void wait_and_jump(void)
{
	static pid_t started_by;

	if (started_by != getpid())
		start_to_jump();
	started_by = getpid();
	if (sigsetjmp(before_wait, 1) == 0) {
		is_waiting = 1;
		wait_in_poll();
	}
	is_waiting = 0;
}

static const struct wait waits[] = {
    {"accept", wait_in_accept, true},
    {"poll", wait_in_poll, false},
    {"ppoll", wait_in_ppoll, false},
    {"select", wait_in_select, false},
    {"pselect", wait_in_pselect, false},
    {"epoll_wait", wait_in_epoll_wait, false},
    {"epoll_pwait", wait_in_epoll_pwait, false},
    {"epoll_pwait2", wait_in_epoll_pwait2, false},
    {"exclusive", wait_exclusively, false},
    {"jumping", wait_and_jump, false},
};

const struct wait *find_wait(const char *name)
{
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		if (strcmp(waits[i].name, name) == 0)
			return &waits[i];
	return NULL;
}
