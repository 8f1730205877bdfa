/* wait.c - the interposed waits: before one that includes the listener a worker is idle.
 *
 * The rules are those of slshim.c; and a wait changes nothing of what it is given. */
#undef _FORTIFY_SOURCE /* its twins are defined here, ... */
#undef _TIME_BITS      /* ... and those of 64-bit times */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "core/recycle.h"
#include "core/worker.h"
#include "hooks/hook.h"
#include "os/next.h"
#include "os/wait_set.h"

/* What is rare is apart from what each wait comes through. */
#define RARE __attribute__((cold, noinline))

static inline bool is_something_to_ask(void)
{
	return worker.leaves_idle && recycle_is_something_to_ask();
}

/* How a wait is made: without either of these it lasts until something comes, or a signal that this
 * thread does not block. */
enum { HAS_TIMEOUT = 1, HAS_MASK = 2 };

RARE static bool is_over(const struct wait_set *set, int how)
{
	return recycle_ends_wait(set, how & HAS_TIMEOUT, how & HAS_MASK);
}

/* ------------------------------------------------------- which listeners are in a set */

struct search {
	int found;     /* the first that is known; -1: none */
	uint64_t name; /* of all the listeners */
};

static bool find_listener(int fd, void *argument)
{
	struct search *search = argument;

	if (worker_knows_listener(fd))
		search->found = fd;
	return search->found < 0;
}

static bool add_name(int fd, void *argument)
{
	struct search *search = argument;

	search->name += worker_name_listener(fd);
	return true;
}

RARE static void on_epoll(int listener, int set)
{
	struct search search = {.name = 0};

	wait_set_each_of_epoll(set, add_name, &search);
	recycle_on_listener_wait(listener, search.name);
}

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
	return is_something_to_ask() &&
	       is_over(&(struct wait_set){.kind = WAITS_BY_POLL, .polled = set, .count = count}, how);
}

static bool is_select_over(int count, const fd_set *reads, const fd_set *writes,
                           const fd_set *others, int how)
{
	if (worker.notes_waits)
		note_select(count, reads, how & HAS_TIMEOUT);
	return is_something_to_ask() && is_over(&(struct wait_set){.kind = WAITS_BY_SELECT,
	                                                           .end = count,
	                                                           .selected = {reads, writes, others}},
	                                        how);
}

/* The set that was seen to have a listener, that one, and by which process. */
static _Atomic int listening_set = -1, listener_in_it;
static _Atomic pid_t seen_by;

RARE static int look_for_listener(int set)
{
	struct search search = {.found = -1};

	wait_set_each_of_epoll(set, find_listener, &search);
	if (search.found >= 0) {
		listener_in_it = search.found;
		seen_by = worker.pid;
		listening_set = set;
	}
	return search.found;
}

/* What is in a set of epoll is too dear to ask each time: it may be a listener. */
static void note_epoll(int set, bool has_timeout)
{
	int listener = -1;

	if (set == listening_set && seen_by == worker.pid)
		listener = listener_in_it;
	else if (recycle_looks_for_listener())
		listener = look_for_listener(set);
	if (recycle_waits_for(listener, has_timeout))
		on_epoll(listener, set);
}

static bool is_epoll_over(int set, int how)
{
	if (worker.notes_waits)
		note_epoll(set, how & HAS_TIMEOUT);
	return is_something_to_ask() &&
	       is_over(&(struct wait_set){.kind = WAITS_BY_EPOLL, .epoll = set}, how);
}

HOOK int poll(struct pollfd *set, nfds_t count, int timeout)
{
	return is_poll_over(set, count, timeout >= 0) ? -1 : next.poll(set, count, timeout);
}

HOOK int ppoll(struct pollfd *set, nfds_t count, const struct timespec *timeout,
               const sigset_t *mask)
{
	return is_poll_over(set, count, (timeout != NULL) | HAS_MASK)
	           ? -1
	           : next.ppoll(set, count, timeout, mask);
}

HOOK int select(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
                struct timeval *restrict timeout)
{
	return is_select_over(count, reads, writes, others, timeout != NULL)
	           ? -1
	           : next.select(count, reads, writes, others, timeout);
}

HOOK int pselect(int count, fd_set *restrict reads, fd_set *restrict writes,
                 fd_set *restrict others, const struct timespec *restrict timeout,
                 const sigset_t *restrict mask)
{
	return is_select_over(count, reads, writes, others, (timeout != NULL) | HAS_MASK)
	           ? -1
	           : next.pselect(count, reads, writes, others, timeout, mask);
}

HOOK int epoll_wait(int set, struct epoll_event *events, int most, int timeout)
{
	return is_epoll_over(set, timeout >= 0) ? -1 : next.epoll_wait(set, events, most, timeout);
}

HOOK int epoll_pwait(int set, struct epoll_event *events, int most, int timeout,
                     const sigset_t *mask)
{
	return is_epoll_over(set, (timeout >= 0) | HAS_MASK)
	           ? -1
	           : next.epoll_pwait(set, events, most, timeout, mask);
}

HOOK int epoll_pwait2(int set, struct epoll_event *events, int most, const struct timespec *timeout,
                      const sigset_t *mask)
{
	return is_epoll_over(set, (timeout != NULL) | HAS_MASK)
	           ? -1
	           : next.epoll_pwait2(set, events, most, timeout, mask);
}

/* What glibc's headers make of poll and ppoll under _FORTIFY_SOURCE; `room` is what the compiler
 * knows of the set's size. */
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);

HOOK int __poll_chk(struct pollfd *set, nfds_t count, int timeout, size_t room)
{
	return is_poll_over(set, count, timeout >= 0) ? -1 : next.poll_chk(set, count, timeout, room);
}

HOOK int __ppoll_chk(struct pollfd *set, nfds_t count, const struct timespec *timeout,
                     const sigset_t *mask, size_t room)
{
	return is_poll_over(set, count, (timeout != NULL) | HAS_MASK)
	           ? -1
	           : next.ppoll_chk(set, count, timeout, mask, room);
}

#ifdef TIME64_TWINS

int __ppoll64(struct pollfd *, nfds_t, const void *, const sigset_t *);
int __ppoll64_chk(struct pollfd *, nfds_t, const void *, const sigset_t *, size_t);
int __select64(int, fd_set *, fd_set *, fd_set *, void *);
int __pselect64(int, fd_set *, fd_set *, fd_set *, const void *, const sigset_t *);
int __epoll_pwait2_time64(int, struct epoll_event *, int, const void *, const sigset_t *);

HOOK int __ppoll64(struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask)
{
	return is_poll_over(set, count, (time != NULL) | HAS_MASK)
	           ? -1
	           : next.ppoll64(set, count, time, mask);
}

HOOK int __ppoll64_chk(struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask,
                       size_t room)
{
	return is_poll_over(set, count, (time != NULL) | HAS_MASK)
	           ? -1
	           : next.ppoll64_chk(set, count, time, mask, room);
}

HOOK int __select64(int count, fd_set *reads, fd_set *writes, fd_set *others, void *time)
{
	return is_select_over(count, reads, writes, others, time != NULL)
	           ? -1
	           : next.select64(count, reads, writes, others, time);
}

HOOK int __pselect64(int count, fd_set *reads, fd_set *writes, fd_set *others, const void *time,
                     const sigset_t *mask)
{
	return is_select_over(count, reads, writes, others, (time != NULL) | HAS_MASK)
	           ? -1
	           : next.pselect64(count, reads, writes, others, time, mask);
}

HOOK int __epoll_pwait2_time64(int set, struct epoll_event *events, int most, const void *time,
                               const sigset_t *mask)
{
	return is_epoll_over(set, (time != NULL) | HAS_MASK)
	           ? -1
	           : next.epoll_pwait2_time64(set, events, most, time, mask);
}

#endif
