/* slshim_wait.c - the interposed waits: before one that includes the listener a worker is idle.
 *
 * The rules are those of slshim.c; and a wait changes nothing of what it is given. */
#undef _FORTIFY_SOURCE /* its twins are defined here, ... */
#undef _TIME_BITS      /* ... and those of 64-bit times */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "file.h"
#include "hook.h"
#include "number.h"
#include "real.h"
#include "recycle.h"
#include "worker.h"

/* glibc's header has it that poll only writes to its set. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/* What is rare is apart from what each wait comes through. */
#define RARE __attribute__((cold, noinline))

static inline bool is_something_to_ask(void)
{
	return recycle_leaves_idle && recycle_is_something_to_ask();
}

static bool poll_includes(const struct pollfd *set, nfds_t count, int listener)
{
	for (nfds_t i = 0; i < count; i++)
		if (set[i].fd == listener && (set[i].events & POLLIN))
			return true;
	return false;
}

static bool select_includes(int count, const fd_set *reads, int listener)
{
	return reads != NULL && listener >= 0 && listener < count && listener < FD_SETSIZE &&
	       FD_ISSET(listener, reads);
}

struct search {
	bool (*fits)(int fd);
	int found;     /* -1: none */
	uint64_t name; /* of all the listeners */
};

/* A line of a set's fdinfo names a descriptor: "tfd:        5 events:       19 ..." */
static bool look_at_line(const char *line, void *argument)
{
	struct search *search = argument;
	uint64_t fd;

	if (strncmp(line, "tfd:", 4) != 0)
		return true;
	if (number_read_next(line + 4, &fd) != NULL && search->fits((int)fd))
		search->found = (int)fd;
	return search->found < 0;
}

/* The kernel tells what is in an epoll set. */
static bool each_of_epoll(int set, bool (*visit)(const char *line, void *argument), void *argument)
{
	char path[FILE_PATH_SIZE];

	file_path_of(path, 0, "fdinfo", set);
	return file_each_line(path, visit, argument);
}

/* The first that fits; -1 if none does. */
static int find_in_epoll(int set, bool (*fits)(int fd))
{
	struct search search = {.fits = fits, .found = -1};

	each_of_epoll(set, look_at_line, &search);
	return search.found;
}

static bool add_name(const char *line, void *argument)
{
	struct search *search = argument;
	uint64_t fd;

	if (strncmp(line, "tfd:", 4) == 0 && number_read_next(line + 4, &fd) != NULL)
		search->name += worker_name_listener((int)fd);
	return true;
}

RARE static void arrive_at_epoll(int listener, int set)
{
	struct search search = {.name = 0};

	each_of_epoll(set, add_name, &search);
	recycle_arrive(listener, search.name);
}

static bool is_accepted_on(int fd)
{
	return fd == recycle_listener();
}

/* ------------------------------------------------- would it return at once? */

struct wait_of_poll {
	struct recycle_wait wait;
	struct pollfd *set;
	nfds_t count;
};

/* Whatever it says of the set's members, the wait itself says anew. */
static bool is_poll_ready(const struct recycle_wait *wait, int listener)
{
	const struct wait_of_poll *self = (const void *)wait;

	if (real.poll(self->set, self->count, 0) < 0)
		return true;
	for (nfds_t i = 0; i < self->count; i++)
		if (self->set[i].revents != 0 && self->set[i].fd != listener)
			return true;
	return false;
}

struct wait_of_select {
	struct recycle_wait wait;
	int count;
	const fd_set *of[3]; /* to read, to write, and for other things */
};

/* Of a set there need be no more than the words that hold `count` bits. */
static bool is_select_ready(const struct recycle_wait *wait, int listener)
{
	enum { WORD = 8 * sizeof(long) };
	const struct wait_of_select *self = (const void *)wait;
	size_t size = ((size_t)self->count + WORD - 1) / WORD * sizeof(long);
	struct timeval at_once = {0, 0};
	fd_set copies[3];
	int ready;

	if (self->count < 0 || self->count > FD_SETSIZE)
		return true;
	memset(copies, 0, sizeof copies);
	for (int i = 0; i < 3; i++)
		if (self->of[i] != NULL)
			memcpy(&copies[i], self->of[i], size);
	ready = real.select(self->count, &copies[0], &copies[1], &copies[2], &at_once);
	return ready < 0 || ready > (FD_ISSET(listener, &copies[0]) ? 1 : 0);
}

struct wait_of_epoll {
	struct recycle_wait wait;
	int set;
};

/* What an edge has told already counts as ready, too: the wait would not tell it again, but nobody
 * else knows. */
static bool is_member_ready(const char *line, void *listener)
{
	static const char before[] = "events:";
	const char *at = strstr(line, before);
	uint64_t fd, events;
	struct pollfd member;

	if (strncmp(line, "tfd:", 4) != 0)
		return true;
	if (at == NULL || number_read_next(line + 4, &fd) == NULL)
		return false;
	at += sizeof before - 1;
	if (number_read_hex(at + strspn(at, " \t"), &events) == NULL)
		return false;
	member = (struct pollfd){.fd = (int)fd, .events = (short)(events & 0xffff)};
	return member.fd == *(int *)listener || real.poll(&member, 1, 0) == 0;
}

/* The set itself is ready when one of its members is; which, its wait alone would tell, for once.
 */
static bool is_epoll_ready(const struct recycle_wait *wait, int listener)
{
	const struct wait_of_epoll *self = (const void *)wait;
	struct pollfd set = {.fd = self->set, .events = POLLIN};
	int ready = real.poll(&set, 1, 0);

	return ready != 0 && (ready < 0 || !each_of_epoll(self->set, is_member_ready, &listener));
}

/* Where the worker was sent a signal, the wait is over before it began, as if by that signal. */
static bool is_over(const struct recycle_wait *wait, bool includes_listener)
{
	int interruption;

	if (!includes_listener) {
		recycle_waits_elsewhere(wait->begun);
		return false;
	}
	interruption = recycle_idle(wait);
	if (interruption != 0)
		errno = interruption;
	return interruption != 0;
}

RARE static void arrive_at_poll(int listener, const struct pollfd *set, nfds_t count)
{
	uint64_t name = 0;

	for (nfds_t i = 0; i < count; i++)
		name += (set[i].events & POLLIN) ? worker_name_listener(set[i].fd) : 0;
	recycle_arrive(listener, name);
}

/* A worker with threads leaves only by one that alone waits for its listeners. */
static void note_poll(const struct pollfd *set, nfds_t count, bool has_timeout)
{
	for (nfds_t i = 0; i < count; i++)
		if ((set[i].events & POLLIN) && worker_knows_listener(set[i].fd)) {
			if (recycle_waits_for(set[i].fd, has_timeout))
				arrive_at_poll(set[i].fd, set, count);
			return;
		}
}

RARE static void arrive_at_select(int listener, int count, const fd_set *reads)
{
	uint64_t name = 0;

	for (int fd = 0; fd < count && fd < FD_SETSIZE; fd++)
		name += FD_ISSET(fd, reads) ? worker_name_listener(fd) : 0;
	recycle_arrive(listener, name);
}

static void note_select(int count, const fd_set *reads, bool has_timeout)
{
	for (int fd = 0; reads != NULL && fd < count && fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, reads) && worker_knows_listener(fd)) {
			if (recycle_waits_for(fd, has_timeout))
				arrive_at_select(fd, count, reads);
			return;
		}
}

RARE static bool ask_before_poll(struct pollfd *set, nfds_t count, bool has_timeout)
{
	struct wait_of_poll self = {
	    {has_timeout, is_poll_ready, recycle_before_wait(has_timeout)}, set, count};

	return self.wait.begun != 0 &&
	       is_over(&self.wait, poll_includes(set, count, recycle_listener()));
}

static bool is_poll_over(struct pollfd *set, nfds_t count, bool has_timeout)
{
	if (recycle_notes_waits)
		note_poll(set, count, has_timeout);
	return is_something_to_ask() && ask_before_poll(set, count, has_timeout);
}

RARE static bool ask_before_select(int count, const fd_set *reads, const fd_set *writes,
                                   const fd_set *others, bool has_timeout)
{
	struct wait_of_select self = {
	    {has_timeout, is_select_ready, recycle_before_wait(has_timeout)},
	    count,
	    {reads, writes, others},
	};

	return self.wait.begun != 0 &&
	       is_over(&self.wait, select_includes(count, reads, recycle_listener()));
}

static bool is_select_over(int count, const fd_set *reads, const fd_set *writes,
                           const fd_set *others, bool has_timeout)
{
	if (recycle_notes_waits)
		note_select(count, reads, has_timeout);
	return is_something_to_ask() && ask_before_select(count, reads, writes, others, has_timeout);
}

/* The set that was seen to have a listener, that one, and by which process. */
static _Atomic int listening_set = -1, listener_in_it;
static _Atomic pid_t seen_by;

RARE static int look_for_listener(int set)
{
	int listener = find_in_epoll(set, worker_knows_listener);

	if (listener >= 0) {
		listener_in_it = listener;
		seen_by = worker.pid;
		listening_set = set;
	}
	return listener;
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
		arrive_at_epoll(listener, set);
}

RARE static bool ask_before_epoll(int set, bool has_timeout)
{
	struct wait_of_epoll self = {{has_timeout, is_epoll_ready, recycle_before_wait(has_timeout)},
	                             set};

	return self.wait.begun != 0 && is_over(&self.wait, find_in_epoll(set, is_accepted_on) >= 0);
}

static bool is_epoll_over(int set, bool has_timeout)
{
	if (recycle_notes_waits)
		note_epoll(set, has_timeout);
	return is_something_to_ask() && ask_before_epoll(set, has_timeout);
}

HOOK int poll(struct pollfd *set, nfds_t count, int timeout)
{
	return is_poll_over(set, count, timeout >= 0) ? -1 : real.poll(set, count, timeout);
}

HOOK int ppoll(struct pollfd *set, nfds_t count, const struct timespec *timeout,
               const sigset_t *mask)
{
	return is_poll_over(set, count, timeout != NULL) ? -1 : real.ppoll(set, count, timeout, mask);
}

HOOK int select(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
                struct timeval *restrict timeout)
{
	return is_select_over(count, reads, writes, others, timeout != NULL)
	           ? -1
	           : real.select(count, reads, writes, others, timeout);
}

HOOK int pselect(int count, fd_set *restrict reads, fd_set *restrict writes,
                 fd_set *restrict others, const struct timespec *restrict timeout,
                 const sigset_t *restrict mask)
{
	return is_select_over(count, reads, writes, others, timeout != NULL)
	           ? -1
	           : real.pselect(count, reads, writes, others, timeout, mask);
}

HOOK int epoll_wait(int set, struct epoll_event *events, int most, int timeout)
{
	return is_epoll_over(set, timeout >= 0) ? -1 : real.epoll_wait(set, events, most, timeout);
}

HOOK int epoll_pwait(int set, struct epoll_event *events, int most, int timeout,
                     const sigset_t *mask)
{
	return is_epoll_over(set, timeout >= 0) ? -1
	                                        : real.epoll_pwait(set, events, most, timeout, mask);
}

HOOK int epoll_pwait2(int set, struct epoll_event *events, int most, const struct timespec *timeout,
                      const sigset_t *mask)
{
	return is_epoll_over(set, timeout != NULL)
	           ? -1
	           : real.epoll_pwait2(set, events, most, timeout, mask);
}

/* What glibc's headers make of poll and ppoll under _FORTIFY_SOURCE; `room` is what the compiler
 * knows of the set's size. */
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);

HOOK int __poll_chk(struct pollfd *set, nfds_t count, int timeout, size_t room)
{
	return is_poll_over(set, count, timeout >= 0) ? -1 : real.poll_chk(set, count, timeout, room);
}

HOOK int __ppoll_chk(struct pollfd *set, nfds_t count, const struct timespec *timeout,
                     const sigset_t *mask, size_t room)
{
	return is_poll_over(set, count, timeout != NULL)
	           ? -1
	           : real.ppoll_chk(set, count, timeout, mask, room);
}

#ifdef TIME64_TWINS

int __ppoll64(struct pollfd *, nfds_t, const void *, const sigset_t *);
int __ppoll64_chk(struct pollfd *, nfds_t, const void *, const sigset_t *, size_t);
int __select64(int, fd_set *, fd_set *, fd_set *, void *);
int __pselect64(int, fd_set *, fd_set *, fd_set *, const void *, const sigset_t *);
int __epoll_pwait2_time64(int, struct epoll_event *, int, const void *, const sigset_t *);

HOOK int __ppoll64(struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask)
{
	return is_poll_over(set, count, time != NULL) ? -1 : real.ppoll64(set, count, time, mask);
}

HOOK int __ppoll64_chk(struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask,
                       size_t room)
{
	return is_poll_over(set, count, time != NULL) ? -1
	                                              : real.ppoll64_chk(set, count, time, mask, room);
}

HOOK int __select64(int count, fd_set *reads, fd_set *writes, fd_set *others, void *time)
{
	return is_select_over(count, reads, writes, others, time != NULL)
	           ? -1
	           : real.select64(count, reads, writes, others, time);
}

HOOK int __pselect64(int count, fd_set *reads, fd_set *writes, fd_set *others, const void *time,
                     const sigset_t *mask)
{
	return is_select_over(count, reads, writes, others, time != NULL)
	           ? -1
	           : real.pselect64(count, reads, writes, others, time, mask);
}

HOOK int __epoll_pwait2_time64(int set, struct epoll_event *events, int most, const void *time,
                               const sigset_t *mask)
{
	return is_epoll_over(set, time != NULL)
	           ? -1
	           : real.epoll_pwait2_time64(set, events, most, time, mask);
}

#endif
