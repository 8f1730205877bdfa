/* wait.c - the interposed waits by poll and select: before one that includes the listener a worker
 * is idle. The rules are those of slshim.c and wait.h. */
#undef _FORTIFY_SOURCE /* its twins are defined here, ... */
#undef _TIME_BITS      /* ... and those of 64-bit times */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>

#include "core/draining.h"
#include "core/recycle.h"
#include "core/worker.h"
#include "hooks/hook.h"
#include "hooks/wait.h"
#include "os/clock.h"
#include "os/hot.h"
#include "os/next.h"
#include "os/wait_set.h"

#define POLLED(set, counted)                                                                       \
	((struct wait_set){.kind = WAITS_BY_POLL, .polled = (set), .count = (counted)})
#define SELECTED(count, reads, writes, others)                                                     \
	((struct wait_set){                                                                            \
	    .kind = WAITS_BY_SELECT, .end = (count), .selected = {(reads), (writes), (others)}})
RARE bool wait_is_over(const struct wait_set *set, int how)
{
	return recycle_ends_wait(set, how & HAS_TIMEOUT, how & HAS_MASK);
}

/* ------------------------------------------------------- which listeners are in a set */

RARE static void on_poll(int listener, const struct pollfd *set, nfds_t count)
{
	uint64_t name = 0;

	for (nfds_t i = 0; i < count; i++)
		name += (set[i].events & POLLIN) ? worker_name_listener(set[i].fd) : 0;
	recycle_on_listener_wait(listener, name);
}

/* A worker with threads leaves only by one that alone waits for its listeners. */
static void note_poll(const struct pollfd *set, nfds_t count, bool has_timeout)
{
	for (nfds_t i = 0; i < count; i++)
		if ((set[i].events & POLLIN) && worker_knows_listener(set[i].fd)) {
			if (recycle_waits_for(set[i].fd, has_timeout))
				on_poll(set[i].fd, set, count);
			return;
		}
}

RARE static void on_select(int listener, int count, const fd_set *reads)
{
	uint64_t name = 0;

	for (int fd = 0; fd < count && fd < FD_SETSIZE; fd++)
		name += FD_ISSET(fd, reads) ? worker_name_listener(fd) : 0;
	recycle_on_listener_wait(listener, name);
}

static void note_select(int count, const fd_set *reads, bool has_timeout)
{
	for (int fd = 0; reads != NULL && fd < count && fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, reads) && worker_knows_listener(fd)) {
			if (recycle_waits_for(fd, has_timeout))
				on_select(fd, count, reads);
			return;
		}
}

static bool is_poll_over(struct pollfd *set, nfds_t count, int how)
{
	if (worker.notes_waits)
		note_poll(set, count, how & HAS_TIMEOUT);
	return wait_is_something_to_ask() && wait_is_over(&POLLED(set, count), how);
}

static bool is_select_over(int count, fd_set *reads, fd_set *writes, fd_set *others, int how)
{
	if (worker.notes_waits)
		note_select(count, reads, how & HAS_TIMEOUT);
	return wait_is_something_to_ask() && wait_is_over(&SELECTED(count, reads, writes, others), how);
}

/* ------------------------------------------------------------ of a worker that drains */

static uint64_t from_timeval(int64_t seconds, int64_t microseconds)
{
	return from_seconds(seconds, microseconds, 1000000);
}

static bool is_none(int fd)
{
	(void)fd;
	return false;
}

/* It looks up now and then, because its siblings may end and its time may run out. */
static int make_muted(const struct wait_set *set, uint64_t timeout, const sigset_t *mask)
{
	const uint64_t longest = BILLION / 10;
	uint64_t begun = clock_boot(), passed = 0;
	enum recycle_wait how;
	int ready;

	while ((how = recycle_before_drained_wait(set, timeout != FOR_GOOD)) != WAIT_OVER) {
		uint64_t rest = timeout > passed ? timeout - passed : 0;
		uint64_t slice = how == WAIT_MUTED && rest > longest ? longest : rest;
		struct timespec time = {(time_t)(slice / BILLION), (long)(slice % BILLION)};

		if (how == WAIT_AS_IT_IS && passed == 0)
			return NOT_MADE;
		ready =
		    wait_set_wait_without(set, how == WAIT_MUTED ? worker_shares : is_none,
		                          timeout == FOR_GOOD && how != WAIT_MUTED ? NULL : &time, mask);
		passed = clock_boot() - begun;
		if (ready == 0 && passed >= timeout)
			wait_set_clear(set);
		if (ready != 0 || passed >= timeout)
			return ready;
	}
	errno = EINTR;
	return -1;
}

/* While worker.minds_waits. */
int wait_mind(const struct wait_set *set, uint64_t timeout, const sigset_t *mask)
{
	draining_notes_wait();
	if (worker.awaits_handler && recycle_awaits_handler(set)) {
		errno = EINTR;
		return -1;
	}
	return worker.drains && timeout != REFUSED && clock_boot() != 0 ? make_muted(set, timeout, mask)
	                                                                : NOT_MADE;
}

/* Of each kind: what the wait returns, if it is made here. */

RARE static int mind_poll(struct pollfd *set, nfds_t count, uint64_t timeout, const sigset_t *mask)
{
	return wait_mind(&POLLED(set, count), timeout, mask);
}

RARE static int mind_select(int count, fd_set *reads, fd_set *writes, fd_set *others,
                            uint64_t timeout, const sigset_t *mask)
{
	return wait_mind(&SELECTED(count, reads, writes, others), timeout, mask);
}

/* --------------------------------------------------------------------- the waits */

HOOK int HOOKED(poll)(struct pollfd *set, nfds_t count, int timeout)
{
	int result;

	if (is_poll_over(set, count, timeout >= 0))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_poll(set, count, from_milliseconds(timeout), NULL)) != NOT_MADE)
		return result;
	return next.poll(set, count, timeout);
}

#ifdef HAVE_PPOLL

HOOK int ppoll(struct pollfd *set, nfds_t count, const struct timespec *timeout,
               const sigset_t *mask)
{
	int result;

	if (is_poll_over(set, count, (timeout != NULL) | HAS_MASK))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_poll(set, count, from_timespec(timeout), mask)) != NOT_MADE)
		return result;
	return next.ppoll(set, count, timeout, mask);
}

#endif

/* `rest`: nanoseconds, what is left of the timeout, which the wait leaves in it. */
static int mind_timed_select(int count, fd_set *reads, fd_set *writes, fd_set *others,
                             uint64_t timeout, uint64_t *rest)
{
	uint64_t begun = clock_boot(), passed;
	int result = mind_select(count, reads, writes, others, timeout, NULL);

	passed = clock_boot() - begun;
	*rest = timeout > passed ? timeout - passed : 0;
	return result;
}

RARE static int mind_select_of(int count, fd_set *reads, fd_set *writes, fd_set *others,
                               struct timeval *timeout)
{
	uint64_t time = timeout == NULL ? FOR_GOOD : from_timeval(timeout->tv_sec, timeout->tv_usec);
	uint64_t rest;
	int result = mind_timed_select(count, reads, writes, others, time, &rest);

	if (result != NOT_MADE && timeout != NULL) {
		timeout->tv_sec = (time_t)(rest / BILLION);
		timeout->tv_usec = (suseconds_t)(rest % BILLION / 1000);
	}
	return result;
}

HOOK int HOOKED(select)(int count, fd_set *restrict reads, fd_set *restrict writes,
                        fd_set *restrict others, struct timeval *restrict timeout)
{
	int result;

	if (is_select_over(count, reads, writes, others, timeout != NULL))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_select_of(count, reads, writes, others, timeout)) != NOT_MADE)
		return result;
	return next.select(count, reads, writes, others, timeout);
}

HOOK int HOOKED(pselect)(int count, fd_set *restrict reads, fd_set *restrict writes,
                         fd_set *restrict others, const struct timespec *restrict timeout,
                         const sigset_t *restrict mask)
{
	int result;

	if (is_select_over(count, reads, writes, others, (timeout != NULL) | HAS_MASK))
		return -1;
	if (wait_is_minded() && (result = mind_select(count, reads, writes, others,
	                                              from_timespec(timeout), mask)) != NOT_MADE)
		return result;
	return next.pselect(count, reads, writes, others, timeout, mask);
}

#ifndef POSIX_FLOOR

/* What glibc's headers make of poll and ppoll under _FORTIFY_SOURCE; `room` is what the compiler
 * knows of the set's size. */
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);

HOOK int __poll_chk(struct pollfd *set, nfds_t count, int timeout, size_t room)
{
	int result;

	if (is_poll_over(set, count, timeout >= 0))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_poll(set, count, from_milliseconds(timeout), NULL)) != NOT_MADE)
		return result;
	return next.poll_chk(set, count, timeout, room);
}

HOOK int __ppoll_chk(struct pollfd *set, nfds_t count, const struct timespec *timeout,
                     const sigset_t *mask, size_t room)
{
	int result;

	if (is_poll_over(set, count, (timeout != NULL) | HAS_MASK))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_poll(set, count, from_timespec(timeout), mask)) != NOT_MADE)
		return result;
	return next.ppoll_chk(set, count, timeout, mask, room);
}

#endif

#ifdef TIME64_TWINS

/* glibc's struct __timeval64. */
struct timeval64 {
	int64_t seconds, microseconds;
};

int __ppoll64(struct pollfd *, nfds_t, const void *, const sigset_t *);
int __ppoll64_chk(struct pollfd *, nfds_t, const void *, const sigset_t *, size_t);
int __select64(int, fd_set *, fd_set *, fd_set *, void *);
int __pselect64(int, fd_set *, fd_set *, fd_set *, const void *, const sigset_t *);

HOOK int __ppoll64(struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask)
{
	int result;

	if (is_poll_over(set, count, (time != NULL) | HAS_MASK))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_poll(set, count, from_timespec64(time), mask)) != NOT_MADE)
		return result;
	return next.ppoll64(set, count, time, mask);
}

HOOK int __ppoll64_chk(struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask,
                       size_t room)
{
	int result;

	if (is_poll_over(set, count, (time != NULL) | HAS_MASK))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_poll(set, count, from_timespec64(time), mask)) != NOT_MADE)
		return result;
	return next.ppoll64_chk(set, count, time, mask, room);
}

RARE static int mind_select64_of(int count, fd_set *reads, fd_set *writes, fd_set *others,
                                 struct timeval64 *timeout)
{
	uint64_t time =
	    timeout == NULL ? FOR_GOOD : from_timeval(timeout->seconds, timeout->microseconds);
	uint64_t rest;
	int result = mind_timed_select(count, reads, writes, others, time, &rest);

	if (result != NOT_MADE && timeout != NULL)
		*timeout = (struct timeval64){(int64_t)(rest / BILLION), (int64_t)(rest % BILLION / 1000)};
	return result;
}

HOOK int __select64(int count, fd_set *reads, fd_set *writes, fd_set *others, void *time)
{
	int result;

	if (is_select_over(count, reads, writes, others, time != NULL))
		return -1;
	if (wait_is_minded() &&
	    (result = mind_select64_of(count, reads, writes, others, time)) != NOT_MADE)
		return result;
	return next.select64(count, reads, writes, others, time);
}

HOOK int __pselect64(int count, fd_set *reads, fd_set *writes, fd_set *others, const void *time,
                     const sigset_t *mask)
{
	int result;

	if (is_select_over(count, reads, writes, others, (time != NULL) | HAS_MASK))
		return -1;
	if (wait_is_minded() && (result = mind_select(count, reads, writes, others,
	                                              from_timespec64(time), mask)) != NOT_MADE)
		return result;
	return next.pselect64(count, reads, writes, others, time, mask);
}

#endif
