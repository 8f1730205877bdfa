/* epoll_set.c - where there is no epoll. */
#include "os/epoll_set.h"

#include <errno.h>

bool epoll_set_each_member(int set,
                           bool (*visit)(const struct epoll_member *member, void *argument),
                           void *argument)
{
	(void)set;
	(void)visit;
	(void)argument;
	return false;
}

bool epoll_set_is_one(int fd)
{
	(void)fd;
	return false;
}

bool epoll_set_includes(int set, int fd)
{
	(void)set;
	(void)fd;
	return false;
}

static int is_none(void)
{
	errno = ENOSYS;
	return -1;
}

int epoll_set_pause(int set, unsigned milliseconds)
{
	(void)set;
	(void)milliseconds;
	return is_none();
}

bool epoll_set_is_ready_besides(int set, int fd)
{
	(void)set;
	(void)fd;
	return true;
}

int epoll_set_wait(int set, struct epoll_event *events, int most, const struct timespec *time,
                   const sigset_t *mask)
{
	(void)set;
	(void)events;
	(void)most;
	(void)time;
	(void)mask;
	return is_none();
}
