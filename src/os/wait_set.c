/* wait_set.c - see wait_set.h. */
#define _GNU_SOURCE /* ppoll() */
#include "os/wait_set.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/file.h"
#include "os/next.h"
#include "os/number.h"

/* ------------------------------------------------------------------------ epoll */

/* Returns what follows the word and the blanks after it; NULL if it is not in the line. */
static const char *after(const char *line, const char *word)
{
	const char *at = strstr(line, word);

	if (at == NULL)
		return NULL;
	at += strlen(word);
	return at + strspn(at, " \t");
}

/* A line of a set's fdinfo: "tfd:        5 events:       19 data:                5  pos:0 ..." */
static bool read_member(const char *line, struct wait_member *member)
{
	const char *fd = after(line, "tfd:"), *events = after(line, " events:"),
	           *data = after(line, " data:");
	uint64_t number, mask;

	if (fd == NULL || number_read(fd, &number) == NULL || events == NULL ||
	    number_read_hex(events, &mask) == NULL || data == NULL ||
	    number_read_hex(data, &member->data) == NULL)
		return false;
	member->fd = (int)number;
	member->events = (uint32_t)mask;
	return true;
}

struct visitor {
	bool (*visit)(const struct wait_member *member, void *argument);
	void *argument;
};

static bool visit_line(const char *line, void *argument)
{
	const struct visitor *visitor = argument;
	struct wait_member member;

	if (strncmp(line, "tfd:", 4) != 0)
		return true;
	return read_member(line, &member) && visitor->visit(&member, visitor->argument);
}

bool wait_set_each_of_epoll(int set,
                            bool (*visit)(const struct wait_member *member, void *argument),
                            void *argument)
{
	char path[FILE_PATH_SIZE];
	struct visitor visitor = {visit, argument};

	file_path_of(path, 0, "fdinfo", set);
	return file_each_line(path, visit_line, &visitor);
}

struct search {
	int wanted;
	bool is_found;
};

static bool is_other(const struct wait_member *member, void *argument)
{
	struct search *search = argument;

	search->is_found = member->fd == search->wanted;
	return !search->is_found;
}

/* Compares the file of `fd` with that of the set's member `member`, where there is no /proc (Linux
 * 4.13): 0 if they are the same. Changes neither. */
static long compare(int fd, int set, int member)
{
	enum { KCMP_EPOLL_TFD = 7 }; /* older headers lack it */
	const struct {
		uint32_t set, fd, offset;
	} place = {(uint32_t)set, (uint32_t)member, 0};

	return syscall(SYS_kcmp, getpid(), getpid(), KCMP_EPOLL_TFD, (long)fd, &place);
}

bool wait_set_is_epoll(int fd)
{
	int saved = errno;
	bool is = compare(fd, fd, INT_MAX) < 0 && errno == ENOENT; /* EINVAL: it is no set */

	errno = saved;
	return is;
}

static bool epoll_includes(int set, int fd)
{
	struct search search = {.wanted = fd};
	int saved = errno;

	if (!wait_set_each_of_epoll(set, is_other, &search) && !search.is_found)
		search.is_found = compare(fd, set, fd) == 0;
	errno = saved;
	return search.is_found;
}

/* What an edge has told already counts as ready, too: the wait would not tell it again, but nobody
 * else knows. */
static bool is_excepted_or_not_ready(const struct wait_member *member, void *excepted)
{
	struct pollfd polled = {.fd = member->fd, .events = (short)(member->events & 0xffff)};

	return member->fd == *(const int *)excepted || next.poll(&polled, 1, 0) == 0;
}

/* The set itself is ready when one of its members is; which, its wait alone would tell, for once.
 */
static int pause_epoll(int set, unsigned milliseconds)
{
	struct pollfd polled = {.fd = set, .events = POLLIN};

	return next.poll(&polled, 1, (int)milliseconds);
}

static bool is_epoll_ready_besides(int set, int fd)
{
	int ready = pause_epoll(set, 0);

	return ready != 0 && (ready < 0 || !wait_set_each_of_epoll(set, is_excepted_or_not_ready, &fd));
}

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
		return epoll_includes(set->epoll, fd);
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
		return pause_epoll(set->epoll, milliseconds);
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
		return is_epoll_ready_besides(set->epoll, fd);
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
	ready = next.ppoll(copies, set->count, time, mask);
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

/* Rounded up, because a wait that is too short would be made again and again. */
static int milliseconds_of(const struct timespec *time)
{
	if (time == NULL)
		return -1;
	if (time->tv_sec >= INT_MAX / 1000)
		return INT_MAX;
	return (int)time->tv_sec * 1000 + (int)((time->tv_nsec + 999999) / 1000000);
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
		return next.epoll_pwait(set->epoll, set->events, set->most, milliseconds_of(time), mask);
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
