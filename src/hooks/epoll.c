/* epoll.c - the interposed functions of epoll: before a wait for a set with the listener a worker
 * is idle. The rules are those of slshim.c and wait.h. */
#undef _TIME_BITS /* the twin of 64-bit times is defined here */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "core/draining.h"
#include "core/recycle.h"
#include "core/worker.h"
#include "hooks/hook.h"
#include "hooks/wait.h"
#include "os/epoll_set.h"
#include "os/hot.h"
#include "os/next.h"
#include "os/wait_set.h"

#define EPOLL(set, room, rooms)                                                                    \
	((struct wait_set){.kind = WAITS_BY_EPOLL, .epoll = (set), .events = (room), .most = (rooms)})

/* ------------------------------------------------------- which listeners are in a set */

struct search {
	int found;     /* the first that is known; -1: none */
	uint64_t name; /* of all the listeners */
};

static bool find_listener(const struct epoll_member *member, void *argument)
{
	struct search *search = argument;

	if (worker_knows_listener(member->fd))
		search->found = member->fd;
	return search->found < 0;
}

static bool add_name(const struct epoll_member *member, void *argument)
{
	struct search *search = argument;

	search->name += worker_name_listener(member->fd);
	return true;
}

RARE static void on_epoll(int listener, int set)
{
	struct search search = {.name = 0};

	epoll_set_each_member(set, add_name, &search);
	recycle_on_listener_wait(listener, search.name);
}

/* The set that was seen to have a listener, that one, and by which process. */
static _Atomic int listening_set = -1, listener_in_it;
static _Atomic pid_t seen_by;

/* Returns false if it is certain that there is none now. */
RARE static bool look_for_listener(int set, int *listener)
{
	struct search search = {.found = -1};
	bool was_read = epoll_set_each_member(set, find_listener, &search);

	*listener = search.found;
	if (search.found < 0)
		return !was_read;
	listener_in_it = search.found;
	seen_by = worker.pid;
	listening_set = set;
	return true;
}

/* What is in a set of epoll is too dear to ask each time: it may be a listener. */
static void note_epoll(int set, bool has_timeout)
{
	int listener = -1;

	if (set == listening_set && seen_by == worker.pid)
		listener = listener_in_it;
	else if (recycle_looks_for_listener()) {
		if (!look_for_listener(set, &listener)) {
			worker_waits_quietly(set);
			return;
		}
	} else if (worker_is_quiet(set))
		return;
	if (recycle_waits_for(listener, has_timeout))
		on_epoll(listener, set);
}

static bool is_epoll_over(int set, int how)
{
	if (worker.notes_waits)
		note_epoll(set, how & HAS_TIMEOUT);
	return wait_is_something_to_ask() && wait_is_over(&EPOLL(set, NULL, 0), how);
}

/* --------------------------------------------------------------------- the waits */

RARE static int mind_epoll(int set, struct epoll_event *events, int most, uint64_t timeout,
                           const sigset_t *mask)
{
	return wait_mind(&EPOLL(set, events, most), timeout, mask);
}

HOOK int epoll_wait(int set, struct epoll_event *events, int most, int timeout)
{
	int result;

	if (is_epoll_over(set, timeout >= 0))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_epoll(set, events, most, from_milliseconds(timeout), NULL)) != NOT_MADE)
		return result;
	return next.epoll_wait(set, events, most, timeout);
}

HOOK int epoll_pwait(int set, struct epoll_event *events, int most, int timeout,
                     const sigset_t *mask)
{
	int result;

	if (is_epoll_over(set, (timeout >= 0) | HAS_MASK))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_epoll(set, events, most, from_milliseconds(timeout), mask)) != NOT_MADE)
		return result;
	return next.epoll_pwait(set, events, most, timeout, mask);
}

HOOK int epoll_pwait2(int set, struct epoll_event *events, int most, const struct timespec *timeout,
                      const sigset_t *mask)
{
	int result;

	if (is_epoll_over(set, (timeout != NULL) | HAS_MASK))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_epoll(set, events, most, from_timespec(timeout), mask)) != NOT_MADE)
		return result;
	return next.epoll_pwait2(set, events, most, timeout, mask);
}

#ifdef TIME64_TWINS

int __epoll_pwait2_time64(int, struct epoll_event *, int, const void *, const sigset_t *);

HOOK int __epoll_pwait2_time64(int set, struct epoll_event *events, int most, const void *time,
                               const sigset_t *mask)
{
	int result;

	if (is_epoll_over(set, (time != NULL) | HAS_MASK))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_epoll(set, events, most, from_timespec64(time), mask)) != NOT_MADE)
		return result;
	return next.epoll_pwait2_time64(set, events, most, time, mask);
}

#endif

/* ---------------------------------------------------------------------- the sets */

static int made(int set)
{
	if (set >= 0 && worker_is_current())
		drain_note_made(&worker.drain, set);
	return set;
}

HOOK int epoll_create(int size)
{
	return made(next.epoll_create(size));
}

HOOK int epoll_create1(int flags)
{
	return made(next.epoll_create1(flags));
}

HOOK int epoll_ctl(int set, int change, int fd, struct epoll_event *event)
{
	int error;

	if (!worker_knows_listener(fd) || !draining_controls(set, change, fd, event, &error))
		return next.epoll_ctl(set, change, fd, event);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}
