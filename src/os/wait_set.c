/* wait_set.c - see wait_set.h. */
#include "os/wait_set.h"

#include <string.h>

#include "os/file.h"
#include "os/next.h"
#include "os/number.h"

/* ------------------------------------------------------------------------ epoll */

/* A line of a set's fdinfo names a member: "tfd:        5 events:       19 ..." */
static const char *read_member(const char *line, uint64_t *fd)
{
	return strncmp(line, "tfd:", 4) == 0 ? number_read_next(line + 4, fd) : NULL;
}

/* True if all of them were visited. */
static bool each_line(int set, bool (*visit)(const char *line, void *argument), void *argument)
{
	char path[FILE_PATH_SIZE];

	file_path_of(path, 0, "fdinfo", set);
	return file_each_line(path, visit, argument);
}

struct visitor {
	bool (*visit)(int fd, void *argument);
	void *argument;
};

static bool visit_member(const char *line, void *argument)
{
	const struct visitor *visitor = argument;
	uint64_t fd;

	return read_member(line, &fd) == NULL || visitor->visit((int)fd, visitor->argument);
}

void wait_set_each_of_epoll(int set, bool (*visit)(int fd, void *argument), void *argument)
{
	struct visitor visitor = {visit, argument};

	each_line(set, visit_member, &visitor);
}

struct search {
	int wanted;
	bool is_found;
};

static bool is_other(int fd, void *argument)
{
	struct search *search = argument;

	search->is_found = fd == search->wanted;
	return !search->is_found;
}

static bool epoll_includes(int set, int fd)
{
	struct search search = {.wanted = fd};

	wait_set_each_of_epoll(set, is_other, &search);
	return search.is_found;
}

/* What an edge has told already counts as ready, too: the wait would not tell it again, but nobody
 * else knows. */
static bool is_excepted_or_not_ready(const char *line, void *excepted)
{
	static const char before[] = "events:";
	const char *at = strstr(line, before);
	uint64_t fd, events;
	struct pollfd member;

	if (strncmp(line, "tfd:", 4) != 0)
		return true;
	if (at == NULL || read_member(line, &fd) == NULL)
		return false;
	at += sizeof before - 1;
	if (number_read_hex(at + strspn(at, " \t"), &events) == NULL)
		return false;
	member = (struct pollfd){.fd = (int)fd, .events = (short)(events & 0xffff)};
	return member.fd == *(const int *)excepted || next.poll(&member, 1, 0) == 0;
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

	return ready != 0 && (ready < 0 || !each_line(set, is_excepted_or_not_ready, &fd));
}

/* ----------------------------------------------------------------------- select */

static bool select_includes(const struct wait_set *set, int fd)
{
	return set->selected[0] != NULL && fd >= 0 && fd < set->end && fd < FD_SETSIZE &&
	       FD_ISSET(fd, set->selected[0]);
}

/* On copies. Of a set there need be no more than the words that hold `end` bits. */
static int select_copies(const struct wait_set *set, fd_set copies[WAIT_SETS],
                         unsigned milliseconds)
{
	enum { WORD = 8 * sizeof(long) };
	size_t size = ((size_t)set->end + WORD - 1) / WORD * sizeof(long);
	struct timeval time = {milliseconds / 1000, (suseconds_t)(milliseconds % 1000) * 1000};

	memset(copies, 0, WAIT_SETS * sizeof *copies);
	if (set->end < 0 || set->end > FD_SETSIZE)
		return 1;
	for (int i = 0; i < WAIT_SETS; i++)
		if (set->selected[i] != NULL)
			memcpy(&copies[i], set->selected[i], size);
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
