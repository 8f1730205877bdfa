/* wait_set.c - see wait_set.h. */
#define _GNU_SOURCE /* ppoll() */
#include "os/wait_set.h"

#include <string.h>

#include "os/clock.h"
#include "os/epoll_set.h"
#include "os/next.h"

/* ----------------------------------------------------------------------- select */

static bool select_includes(const struct wait_set *set, int fd)
{
	return set->selected[0] != NULL && fd >= 0 && fd < set->end && fd < FD_SETSIZE &&
	       FD_ISSET(fd, set->selected[0]);
}

/* Of a set there need be no more than the words that hold `end` bits. */
static size_t size_of_selected(const struct wait_set *set)
{
	enum { WORD = 8 * sizeof(long) };

	return ((size_t)set->end + WORD - 1) / WORD * sizeof(long);
}

static bool copy_selected(const struct wait_set *set, fd_set copies[WAIT_SETS])
{
	memset(copies, 0, WAIT_SETS * sizeof *copies);
	if (set->end < 0 || set->end > FD_SETSIZE)
		return false;
	for (int i = 0; i < WAIT_SETS; i++)
		if (set->selected[i] != NULL)
			memcpy(&copies[i], set->selected[i], size_of_selected(set));
	return true;
}

/* On copies. */
static int select_copies(const struct wait_set *set, fd_set copies[WAIT_SETS],
                         unsigned milliseconds)
{
	struct timeval time = {milliseconds / 1000, (suseconds_t)(milliseconds % 1000) * 1000};

	if (!copy_selected(set, copies))
		return 1;
	return next.select(set->end, &copies[0], &copies[1], &copies[2], &time);
}

static bool is_select_ready_besides(const struct wait_set *set, int fd)
{
	fd_set copies[WAIT_SETS];
	int ready = select_copies(set, copies, 0);

	return ready < 0 || ready > (FD_ISSET(fd, &copies[0]) ? 1 : 0);
}

/* ------------------------------------------------------------------------- poll */

static bool poll_includes(const struct wait_set *set, int fd)
{
	for (nfds_t i = 0; i < set->count; i++)
		if (set->polled[i].fd == fd && (set->polled[i].events & POLLIN))
			return true;
	return false;
}

static bool is_poll_ready_besides(const struct wait_set *set, int fd)
{
	if (next.poll(set->polled, set->count, 0) < 0)
		return true;
	for (nfds_t i = 0; i < set->count; i++)
		if (set->polled[i].revents != 0 && set->polled[i].fd != fd)
			return true;
	return false;
}

/* --------------------------------------------------------------------- each kind */

bool wait_set_includes(const struct wait_set *set, int fd)
{
	switch (set->kind) {
	case WAITS_BY_POLL:
		return poll_includes(set, fd);
	case WAITS_BY_SELECT:
		return select_includes(set, fd);
	default:
		return epoll_set_includes(set->epoll, fd);
	}
}

int wait_set_pause(const struct wait_set *set, unsigned milliseconds)
{
	fd_set copies[WAIT_SETS];

	switch (set->kind) {
	case WAITS_BY_POLL:
		return next.poll(set->polled, set->count, (int)milliseconds);
	case WAITS_BY_SELECT:
		return select_copies(set, copies, milliseconds);
	default:
		return epoll_set_pause(set->epoll, milliseconds);
	}
}

bool wait_set_is_ready_besides(const struct wait_set *set, int fd)
{
	switch (set->kind) {
	case WAITS_BY_POLL:
		return is_poll_ready_besides(set, fd);
	case WAITS_BY_SELECT:
		return is_select_ready_besides(set, fd);
	default:
		return epoll_set_is_ready_besides(set->epoll, fd);
	}
}

/* ------------------------------------------------------------- without some members */

static int poll_without(const struct wait_set *set, bool (*is_left_out)(int fd),
                        const struct timespec *time, const sigset_t *mask)
{
	struct pollfd copies[WAIT_POLLED];
	int ready;

	for (nfds_t i = 0; i < set->count; i++) {
		copies[i] = set->polled[i];
		if (set->polled[i].fd >= 0 && is_left_out(set->polled[i].fd))
			copies[i].fd = -1;
	}
#ifdef HAVE_PPOLL
	ready = next.ppoll(copies, set->count, time, mask);
#else
	(void)mask; /* there is no wait with one */
	ready = next.poll(copies, set->count, clock_milliseconds(time));
#endif
	for (nfds_t i = 0; ready >= 0 && i < set->count; i++)
		set->polled[i].revents = copies[i].revents;
	return ready;
}

static int select_without(const struct wait_set *set, bool (*is_left_out)(int fd),
                          const struct timespec *time, const sigset_t *mask)
{
	fd_set copies[WAIT_SETS];
	int ready;

	copy_selected(set, copies);
	for (int fd = 0; fd < set->end; fd++)
		if (FD_ISSET(fd, &copies[0]) && is_left_out(fd))
			FD_CLR(fd, &copies[0]);
	ready = next.pselect(set->end, &copies[0], &copies[1], &copies[2], time, mask);
	for (int i = 0; ready > 0 && i < WAIT_SETS; i++)
		if (set->selected[i] != NULL)
			memcpy(set->selected[i], &copies[i], size_of_selected(set));
	return ready;
}

bool wait_set_is_small(const struct wait_set *set)
{
	return set->kind == WAITS_BY_EPOLL ||
	       (set->kind == WAITS_BY_POLL ? set->count <= WAIT_POLLED
	                                   : set->end >= 0 && set->end <= FD_SETSIZE);
}

int wait_set_wait_without(const struct wait_set *set, bool (*is_left_out)(int fd),
                          const struct timespec *time, const sigset_t *mask)
{
	switch (set->kind) {
	case WAITS_BY_POLL:
		return poll_without(set, is_left_out, time, mask);
	case WAITS_BY_SELECT:
		return select_without(set, is_left_out, time, mask);
	default:
		return epoll_set_wait(set->epoll, set->events, set->most, time, mask);
	}
}

void wait_set_clear(const struct wait_set *set)
{
	for (int i = 0; set->kind == WAITS_BY_SELECT && i < WAIT_SETS; i++)
		if (set->selected[i] != NULL)
			memset(set->selected[i], 0, size_of_selected(set));
}

bool wait_set_has(const struct wait_set *set, bool (*is_sought)(int fd))
{
	for (nfds_t i = 0; set->kind == WAITS_BY_POLL && i < set->count; i++)
		if ((set->polled[i].events & POLLIN) && is_sought(set->polled[i].fd))
			return true;
	for (int fd = 0; set->kind == WAITS_BY_SELECT && fd < set->end && fd < FD_SETSIZE; fd++)
		if (select_includes(set, fd) && is_sought(fd))
			return true;
	return false;
}
