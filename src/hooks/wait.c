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
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "core/recycle.h"
#include "core/worker.h"
#include "hooks/hook.h"
#include "os/file.h"
#include "os/next.h"
#include "os/number.h"

/* glibc's header has it that poll only writes to its set. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/* What is rare is apart from what each wait comes through. */
#define RARE __attribute__((cold, noinline))

static inline bool is_something_to_ask(void)
{
	return worker.leaves_idle && recycle_is_something_to_ask();
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

RARE static void on_epoll(int listener, int set)
{
	struct search search = {.name = 0};

	each_of_epoll(set, add_name, &search);
	recycle_on_listener_wait(listener, search.name);
}

static bool is_accepted_on(int fd)
{
	return fd == worker.listener;
}

/* -------------------------------------------------------------------- kinds */

/* How a wait is made: without either of these it lasts until something comes, or a signal that this
 * thread does not block. */
enum { HAS_TIMEOUT = 1, HAS_MASK = 2 };

/* A wait that is about to begin, by poll, select or epoll. None of these functions changes the set,
 * or takes anything from it. */
struct wait {
	struct recycle_wait asked;
	bool (*includes)(const struct wait *wait, int listener);
	/* Waits for as long at most; as the wait itself would: above 0 when something is there, below
	 * with errno. */
	int (*pause)(const struct wait *wait, unsigned milliseconds);
};

struct wait_of_poll {
	struct wait wait;
	struct pollfd *set;
	nfds_t count;
};

static bool poll_includes(const struct wait *wait, int listener)
{
	const struct wait_of_poll *self = (const void *)wait;

	for (nfds_t i = 0; i < self->count; i++)
		if (self->set[i].fd == listener && (self->set[i].events & POLLIN))
			return true;
	return false;
}

/* Whatever it says of the set's members, the wait itself says anew. */
static int pause_poll(const struct wait *wait, unsigned milliseconds)
{
	const struct wait_of_poll *self = (const void *)wait;

	return next.poll(self->set, self->count, (int)milliseconds);
}

static bool is_poll_ready(const struct recycle_wait *wait, int listener)
{
	const struct wait_of_poll *self = (const void *)wait;

	if (pause_poll(&self->wait, 0) < 0)
		return true;
	for (nfds_t i = 0; i < self->count; i++)
		if (self->set[i].revents != 0 && self->set[i].fd != listener)
			return true;
	return false;
}

enum { SETS = 3 };

struct wait_of_select {
	struct wait wait;
	int count;
	const fd_set *of[SETS]; /* to read, to write, and for other things */
};

static bool select_includes(const struct wait *wait, int listener)
{
	const struct wait_of_select *self = (const void *)wait;

	return self->of[0] != NULL && listener >= 0 && listener < self->count &&
	       listener < FD_SETSIZE && FD_ISSET(listener, self->of[0]);
}

/* On copies. Of a set there need be no more than the words that hold `count` bits. */
static int select_copies(const struct wait_of_select *self, fd_set copies[SETS],
                         unsigned milliseconds)
{
	enum { WORD = 8 * sizeof(long) };
	size_t size = ((size_t)self->count + WORD - 1) / WORD * sizeof(long);
	struct timeval time = {milliseconds / 1000, (suseconds_t)(milliseconds % 1000) * 1000};

	memset(copies, 0, SETS * sizeof *copies);
	if (self->count < 0 || self->count > FD_SETSIZE)
		return 1;
	for (int i = 0; i < SETS; i++)
		if (self->of[i] != NULL)
			memcpy(&copies[i], self->of[i], size);
	return next.select(self->count, &copies[0], &copies[1], &copies[2], &time);
}

static int pause_select(const struct wait *wait, unsigned milliseconds)
{
	fd_set copies[SETS];

	return select_copies((const void *)wait, copies, milliseconds);
}

static bool is_select_ready(const struct recycle_wait *wait, int listener)
{
	fd_set copies[SETS];
	int ready = select_copies((const void *)wait, copies, 0);

	return ready < 0 || ready > (FD_ISSET(listener, &copies[0]) ? 1 : 0);
}

struct wait_of_epoll {
	struct wait wait;
	int set;
};

static bool epoll_includes(const struct wait *wait, int listener)
{
	const struct wait_of_epoll *self = (const void *)wait;

	(void)listener;
	return find_in_epoll(self->set, is_accepted_on) >= 0;
}

/* The set itself is ready when one of its members is; which, its wait alone would tell, for once.
 */
static int pause_epoll(const struct wait *wait, unsigned milliseconds)
{
	const struct wait_of_epoll *self = (const void *)wait;
	struct pollfd set = {.fd = self->set, .events = POLLIN};

	return next.poll(&set, 1, (int)milliseconds);
}

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
	return member.fd == *(int *)listener || next.poll(&member, 1, 0) == 0;
}

static bool is_epoll_ready(const struct recycle_wait *wait, int listener)
{
	const struct wait_of_epoll *self = (const void *)wait;
	int ready = pause_epoll(&self->wait, 0);

	return ready != 0 && (ready < 0 || !each_of_epoll(self->set, is_member_ready, &listener));
}

/* ---------------------------------------------------------- before the wait */

static struct wait make_wait(int how, bool (*is_ready)(const struct recycle_wait *, int),
                             bool (*includes)(const struct wait *, int),
                             int (*pause)(const struct wait *, unsigned))
{
	return (struct wait){
	    .asked = {.has_timeout = how & HAS_TIMEOUT, .is_ready = is_ready},
	    .includes = includes,
	    .pause = how == 0 ? pause : NULL,
	};
}

/* Where it is too early to ask, and nothing may wake this worker later, once more when it is time.
 * True where the wait is over before it began: by a signal that came meanwhile, or that the worker
 * was sent. */
static bool is_over(struct wait *wait)
{
	unsigned later = 0;
	int ready = 1, interruption;

	wait->asked.begun = recycle_before_wait(wait->asked.has_timeout, &later);
	if (later > 0 && wait->pause != NULL)
		ready = wait->pause(wait, later);
	if (ready < 0)
		return errno == EINTR;
	if (ready == 0)
		wait->asked.begun = recycle_before_wait(wait->asked.has_timeout, &later);
	if (wait->asked.begun == 0)
		return false;
	if (!wait->includes(wait, worker.listener)) {
		recycle_waits_elsewhere(wait->asked.begun);
		return false;
	}
	interruption = recycle_idle(&wait->asked);
	if (interruption != 0)
		errno = interruption;
	return interruption != 0;
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

RARE static bool ask_before_poll(struct pollfd *set, nfds_t count, int how)
{
	struct wait_of_poll self = {make_wait(how, is_poll_ready, poll_includes, pause_poll), set,
	                            count};

	return is_over(&self.wait);
}

static bool is_poll_over(struct pollfd *set, nfds_t count, int how)
{
	if (worker.notes_waits)
		note_poll(set, count, how & HAS_TIMEOUT);
	return is_something_to_ask() && ask_before_poll(set, count, how);
}

RARE static bool ask_before_select(int count, const fd_set *reads, const fd_set *writes,
                                   const fd_set *others, int how)
{
	struct wait_of_select self = {
	    make_wait(how, is_select_ready, select_includes, pause_select),
	    count,
	    {reads, writes, others},
	};

	return is_over(&self.wait);
}

static bool is_select_over(int count, const fd_set *reads, const fd_set *writes,
                           const fd_set *others, int how)
{
	if (worker.notes_waits)
		note_select(count, reads, how & HAS_TIMEOUT);
	return is_something_to_ask() && ask_before_select(count, reads, writes, others, how);
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
		on_epoll(listener, set);
}

RARE static bool ask_before_epoll(int set, int how)
{
	struct wait_of_epoll self = {make_wait(how, is_epoll_ready, epoll_includes, pause_epoll), set};

	return is_over(&self.wait);
}

static bool is_epoll_over(int set, int how)
{
	if (worker.notes_waits)
		note_epoll(set, how & HAS_TIMEOUT);
	return is_something_to_ask() && ask_before_epoll(set, how);
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
