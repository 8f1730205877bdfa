/* drain_none.c - where there is no epoll, no listener is in a set of it. See drain.h. */
#include "leave/drain.h"

#include <stddef.h>
#include <string.h>

bool drain_is_addition(int change, const struct epoll_event *event)
{
	(void)change;
	(void)event;
	return false;
}

bool drain_makes_ready(int change, const struct epoll_event *event)
{
	(void)change;
	(void)event;
	return false;
}

void drain_begin_process(struct drain *drain)
{
	memset(drain, 0, offsetof(struct drain, seen));
}

void drain_note_made(struct drain *drain, int set)
{
	(void)drain;
	(void)set;
}

bool drain_concerns(const struct drain *drain, int set, bool (*is_listener)(int fd))
{
	(void)drain;
	(void)set;
	(void)is_listener;
	return false;
}

enum drain_answer drain_take_out(struct drain *drain, int set, bool (*is_listener)(int fd),
                                 bool may_strand)
{
	(void)drain;
	(void)set;
	(void)is_listener;
	(void)may_strand;
	return DRAIN_NO_LISTENER;
}

bool drain_control(struct drain *drain, int set, int operation, int fd,
                   const struct epoll_event *event, int *error)
{
	(void)drain;
	(void)set;
	(void)operation;
	(void)fd;
	(void)event;
	(void)error;
	return false;
}

bool drain_keep_out(struct drain *drain, int set, int fd, const struct epoll_event *event)
{
	(void)drain;
	(void)set;
	(void)fd;
	(void)event;
	return false;
}

void drain_put_back(struct drain *drain, bool (*is_listener)(int fd))
{
	(void)drain;
	(void)is_listener;
}
