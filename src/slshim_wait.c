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

/* What recycle_before_wait() answers. */
static uint64_t ask(void)
{
	return recycle_leaves_idle ? recycle_before_wait() : 0;
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
static void look_into_epoll(int set, bool (*look)(const char *line, void *argument),
                            struct search *search)
{
	char path[FILE_PATH_SIZE];

	file_path_of(path, 0, "fdinfo", set);
	file_each_line(path, look, search);
}

/* The first that fits; -1 if none does. */
__attribute__((cold, noinline)) static int find_in_epoll(int set, bool (*fits)(int fd))
{
	struct search search = {.fits = fits, .found = -1};

	look_into_epoll(set, look_at_line, &search);
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

static uint64_t name_in_epoll(int set)
{
	struct search search = {.name = 0};

	look_into_epoll(set, add_name, &search);
	return search.name;
}

static bool is_accepted_on(int fd)
{
	return fd == recycle_listener();
}

/* Where the worker was sent a signal, the wait is over before it began, as if by that signal. */
static bool is_over(uint64_t asked, bool includes_listener)
{
	int interruption;

	if (!includes_listener) {
		recycle_waits_elsewhere(asked);
		return false;
	}
	interruption = recycle_idle(asked);
	if (interruption != 0)
		errno = interruption;
	return interruption != 0;
}

static uint64_t name_polled(const struct pollfd *set, nfds_t count)
{
	uint64_t name = 0;

	for (nfds_t i = 0; i < count; i++)
		name += (set[i].events & POLLIN) ? worker_name_listener(set[i].fd) : 0;
	return name;
}

/* A worker with threads leaves only by one that alone waits for its listeners. */
static void note_poll(const struct pollfd *set, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++)
		if ((set[i].events & POLLIN) && worker_knows_listener(set[i].fd)) {
			if (recycle_waits_for(set[i].fd))
				recycle_arrive(set[i].fd, name_polled(set, count));
			return;
		}
}

static uint64_t name_selected(int count, const fd_set *reads)
{
	uint64_t name = 0;

	for (int fd = 0; fd < count && fd < FD_SETSIZE; fd++)
		name += FD_ISSET(fd, reads) ? worker_name_listener(fd) : 0;
	return name;
}

static void note_select(int count, const fd_set *reads)
{
	for (int fd = 0; reads != NULL && fd < count && fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, reads) && worker_knows_listener(fd)) {
			if (recycle_waits_for(fd))
				recycle_arrive(fd, name_selected(count, reads));
			return;
		}
}

static bool is_poll_over(const struct pollfd *set, nfds_t count)
{
	uint64_t asked;

	if (recycle_notes_waits)
		note_poll(set, count);
	asked = ask();
	return asked != 0 && is_over(asked, poll_includes(set, count, recycle_listener()));
}

static bool is_select_over(int count, const fd_set *reads)
{
	uint64_t asked;

	if (recycle_notes_waits)
		note_select(count, reads);
	asked = ask();
	return asked != 0 && is_over(asked, select_includes(count, reads, recycle_listener()));
}

/* What is in a set of epoll is too dear to ask each time: it may be a listener. */
static void note_epoll(int set)
{
	int listener = recycle_looks_for_listener() ? find_in_epoll(set, worker_knows_listener) : -1;

	if (recycle_waits_for(listener))
		recycle_arrive(listener, name_in_epoll(set));
}

static bool is_epoll_over(int set)
{
	uint64_t asked;

	if (recycle_notes_waits)
		note_epoll(set);
	asked = ask();
	return asked != 0 && is_over(asked, find_in_epoll(set, is_accepted_on) >= 0);
}

HOOK int poll(struct pollfd *set, nfds_t count, int timeout)
{
	return is_poll_over(set, count) ? -1 : real.poll(set, count, timeout);
}

HOOK int ppoll(struct pollfd *set, nfds_t count, const struct timespec *timeout,
               const sigset_t *mask)
{
	return is_poll_over(set, count) ? -1 : real.ppoll(set, count, timeout, mask);
}

HOOK int select(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
                struct timeval *restrict timeout)
{
	return is_select_over(count, reads) ? -1 : real.select(count, reads, writes, others, timeout);
}

HOOK int pselect(int count, fd_set *restrict reads, fd_set *restrict writes,
                 fd_set *restrict others, const struct timespec *restrict timeout,
                 const sigset_t *restrict mask)
{
	return is_select_over(count, reads) ? -1
	                                    : real.pselect(count, reads, writes, others, timeout, mask);
}

HOOK int epoll_wait(int set, struct epoll_event *events, int most, int timeout)
{
	return is_epoll_over(set) ? -1 : real.epoll_wait(set, events, most, timeout);
}

HOOK int epoll_pwait(int set, struct epoll_event *events, int most, int timeout,
                     const sigset_t *mask)
{
	return is_epoll_over(set) ? -1 : real.epoll_pwait(set, events, most, timeout, mask);
}

HOOK int epoll_pwait2(int set, struct epoll_event *events, int most, const struct timespec *timeout,
                      const sigset_t *mask)
{
	return is_epoll_over(set) ? -1 : real.epoll_pwait2(set, events, most, timeout, mask);
}

/* What glibc's headers make of poll and ppoll under _FORTIFY_SOURCE; `room` is what the compiler
 * knows of the set's size. */
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);

HOOK int __poll_chk(struct pollfd *set, nfds_t count, int timeout, size_t room)
{
	return is_poll_over(set, count) ? -1 : real.poll_chk(set, count, timeout, room);
}

HOOK int __ppoll_chk(struct pollfd *set, nfds_t count, const struct timespec *timeout,
                     const sigset_t *mask, size_t room)
{
	return is_poll_over(set, count) ? -1 : real.ppoll_chk(set, count, timeout, mask, room);
}

#ifdef TIME64_TWINS

int __ppoll64(struct pollfd *, nfds_t, const void *, const sigset_t *);
int __ppoll64_chk(struct pollfd *, nfds_t, const void *, const sigset_t *, size_t);
int __select64(int, fd_set *, fd_set *, fd_set *, void *);
int __pselect64(int, fd_set *, fd_set *, fd_set *, const void *, const sigset_t *);
int __epoll_pwait2_time64(int, struct epoll_event *, int, const void *, const sigset_t *);

HOOK int __ppoll64(struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask)
{
	return is_poll_over(set, count) ? -1 : real.ppoll64(set, count, time, mask);
}

HOOK int __ppoll64_chk(struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask,
                       size_t room)
{
	return is_poll_over(set, count) ? -1 : real.ppoll64_chk(set, count, time, mask, room);
}

HOOK int __select64(int count, fd_set *reads, fd_set *writes, fd_set *others, void *time)
{
	return is_select_over(count, reads) ? -1 : real.select64(count, reads, writes, others, time);
}

HOOK int __pselect64(int count, fd_set *reads, fd_set *writes, fd_set *others, const void *time,
                     const sigset_t *mask)
{
	return is_select_over(count, reads) ? -1
	                                    : real.pselect64(count, reads, writes, others, time, mask);
}

HOOK int __epoll_pwait2_time64(int set, struct epoll_event *events, int most, const void *time,
                               const sigset_t *mask)
{
	return is_epoll_over(set) ? -1 : real.epoll_pwait2_time64(set, events, most, time, mask);
}

#endif
