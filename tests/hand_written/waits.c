/* waits.c - how workers wait for a connection. */
#define _GNU_SOURCE
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

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
};

const struct wait *find_wait(const char *name)
{
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		if (strcmp(waits[i].name, name) == 0)
			return &waits[i];
	return NULL;
}
