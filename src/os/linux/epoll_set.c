/* epoll_set.c - see epoll_set.h. */
#define _GNU_SOURCE
#include "os/epoll_set.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"
#include "os/next.h"
#include "os/number.h"

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
static bool read_member(const char *line, struct epoll_member *member)
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
	bool (*visit)(const struct epoll_member *member, void *argument);
	void *argument;
};

static bool visit_line(const char *line, void *argument)
{
	const struct visitor *visitor = argument;
	struct epoll_member member;

	if (strncmp(line, "tfd:", 4) != 0)
		return true;
	return read_member(line, &member) && visitor->visit(&member, visitor->argument);
}

bool epoll_set_each_member(int set,
                           bool (*visit)(const struct epoll_member *member, void *argument),
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

static bool is_other(const struct epoll_member *member, void *argument)
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

bool epoll_set_is_one(int fd)
{
	int saved = errno;
	bool is = compare(fd, fd, INT_MAX) < 0 && errno == ENOENT; /* EINVAL: it is no set */

	errno = saved;
	return is;
}

bool epoll_set_includes(int set, int fd)
{
	struct search search = {.wanted = fd};
	int saved = errno;

	if (!epoll_set_each_member(set, is_other, &search) && !search.is_found)
		search.is_found = compare(fd, set, fd) == 0;
	errno = saved;
	return search.is_found;
}

/* What an edge has told already counts as ready, too: the wait would not tell it again, but nobody
 * else knows. */
static bool is_excepted_or_not_ready(const struct epoll_member *member, void *excepted)
{
	struct pollfd polled = {.fd = member->fd, .events = (short)(member->events & 0xffff)};

	return member->fd == *(const int *)excepted || next.poll(&polled, 1, 0) == 0;
}

/* The set itself is ready when one of its members is; which, its wait alone would tell, for once.
 */
int epoll_set_pause(int set, unsigned milliseconds)
{
	struct pollfd polled = {.fd = set, .events = POLLIN};

	return next.poll(&polled, 1, (int)milliseconds);
}

bool epoll_set_is_ready_besides(int set, int fd)
{
	int ready = epoll_set_pause(set, 0);

	return ready != 0 && (ready < 0 || !epoll_set_each_member(set, is_excepted_or_not_ready, &fd));
}

int epoll_set_wait(int set, struct epoll_event *events, int most, const struct timespec *time,
                   const sigset_t *mask)
{
	return next.epoll_pwait(set, events, most, clock_milliseconds(time), mask);
}
