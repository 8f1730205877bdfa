/* drain.c - see drain.h. */
#include "leave/drain.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>

#include "os/epoll_set.h"
#include "os/next.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif

bool drain_is_addition(int change, const struct epoll_event *event)
{
	return change == EPOLL_CTL_ADD && event != NULL;
}

bool drain_makes_ready(int change, const struct epoll_event *event)
{
	return change != EPOLL_CTL_DEL && event != NULL && (event->events & (EPOLLIN | EPOLLRDNORM));
}

void drain_begin_process(struct drain *drain)
{
	memset(drain, 0, offsetof(struct drain, seen));
}

void drain_note_made(struct drain *drain, int set)
{
	drain->made[drain->makes++ % DRAIN_SETS] = set + 1;
}

static bool is_made_here(const struct drain *drain, int set)
{
	for (unsigned i = 0; i < DRAIN_SETS; i++)
		if (drain->made[i] == set + 1)
			return true;
	return false;
}

/* A number that is made again is another set. */
static bool is_made_again(const struct drain *drain, const struct drained_listener *listener)
{
	for (unsigned i = listener->makes; i != drain->makes; i++)
		if (drain->made[i % DRAIN_SETS] == listener->set + 1)
			return true;
	return false;
}

static bool has_seen(const struct drain *drain, int set)
{
	for (unsigned i = 0; i < drain->sees; i++)
		if (drain->seen[i] == set)
			return true;
	return false;
}

static struct drained_listener *find_out(struct drain *drain, int set, int fd)
{
	for (unsigned i = 0; i < drain->outs; i++)
		if (drain->out[i].set == set && drain->out[i].fd == fd)
			return &drain->out[i];
	return NULL;
}

/* --------------------------------------------------------------- taking out */

struct search {
	bool (*is_listener)(int fd);
	int set;
	unsigned makes, found;
	struct drained_listener listeners[DRAIN_LISTENERS];
};

static bool note_listener(const struct epoll_member *member, void *argument)
{
	struct search *search = argument;

	if (!search->is_listener(member->fd))
		return true;
	if (search->found == DRAIN_LISTENERS)
		return false;
	search->listeners[search->found++] = (struct drained_listener){
	    search->set, member->fd, member->events, member->data, search->makes};
	return true;
}

static bool is_no_listener(const struct epoll_member *member, void *argument)
{
	struct search *search = argument;

	return !search->is_listener(member->fd);
}

bool drain_concerns(const struct drain *drain, int set, bool (*is_listener)(int fd))
{
	struct search search = {.is_listener = is_listener};

	for (unsigned i = 0; i < drain->outs; i++)
		if (drain->out[i].set == set)
			return true;
	return !has_seen(drain, set) && !epoll_set_each_member(set, is_no_listener, &search);
}

static int add(const struct drained_listener *listener)
{
	struct epoll_event event = {.events = listener->events, .data.u64 = listener->data};

	return next.epoll_ctl(listener->set, EPOLL_CTL_ADD, listener->fd, &event);
}

static bool take_out(const struct drained_listener *listener)
{
	return next.epoll_ctl(listener->set, EPOLL_CTL_DEL, listener->fd, NULL) == 0;
}

/* The kernel wakes one of those that wait exclusively for each connection. If it has woken this
 * process, and the connection is not accepted yet, no sibling knows of it. */
static bool is_stranded(const struct drained_listener *listener)
{
	struct pollfd polled = {.fd = listener->fd, .events = POLLIN};

	return (listener->events & EPOLLEXCLUSIVE) && next.poll(&polled, 1, 0) > 0;
}

/* Once a listener is out nobody wakes this process for it: what waits then came before. */
static enum drain_answer take_out_all(const struct search *search, bool may_strand)
{
	enum drain_answer answer = DRAIN_OUT;
	unsigned outs = 0;

	while (answer == DRAIN_OUT && outs < search->found) {
		const struct drained_listener *listener = &search->listeners[outs];

		if (!take_out(listener))
			answer = DRAIN_IMPOSSIBLE;
		else if (outs++, !may_strand && is_stranded(listener))
			answer = DRAIN_NOT_NOW;
	}
	while (answer != DRAIN_OUT && outs > 0)
		add(&search->listeners[--outs]);
	return answer;
}

enum drain_answer drain_take_out(struct drain *drain, int set, bool (*is_listener)(int fd),
                                 bool may_strand)
{
	struct search search = {.is_listener = is_listener, .set = set, .makes = drain->makes};
	enum drain_answer answer;

	if (has_seen(drain, set))
		return drain_concerns(drain, set, is_listener) ? DRAIN_OUT : DRAIN_NO_LISTENER;
	if (!epoll_set_each_member(set, note_listener, &search) || drain->sees == DRAIN_SETS ||
	    search.found > DRAIN_LISTENERS - drain->outs ||
	    (search.found > 0 && !is_made_here(drain, set)))
		return DRAIN_IMPOSSIBLE;
	answer = take_out_all(&search, may_strand);
	if (answer != DRAIN_OUT)
		return answer;
	drain->seen[drain->sees++] = set;
	memcpy(&drain->out[drain->outs], search.listeners, search.found * sizeof *search.listeners);
	drain->outs += search.found;
	return search.found > 0 ? DRAIN_OUT : DRAIN_NO_LISTENER;
}

/* ------------------------------------------------------------- while it is out */

static int change(struct drained_listener *listener, const struct epoll_event *event)
{
	if ((listener->events | event->events) & EPOLLEXCLUSIVE)
		return EINVAL;
	listener->events = event->events;
	listener->data = event->data.u64;
	return 0;
}

bool drain_control(struct drain *drain, int set, int operation, int fd,
                   const struct epoll_event *event, int *error)
{
	struct drained_listener *listener = find_out(drain, set, fd);

	if (listener == NULL)
		return false;
	*error = 0;
	if (operation == EPOLL_CTL_DEL)
		*listener = drain->out[--drain->outs];
	else if (event == NULL)
		*error = EFAULT;
	else if (operation == EPOLL_CTL_MOD)
		*error = change(listener, event);
	else
		*error = operation == EPOLL_CTL_ADD ? EEXIST : EINVAL;
	return true;
}

bool drain_keep_out(struct drain *drain, int set, int fd, const struct epoll_event *event)
{
	if (drain->outs == DRAIN_LISTENERS)
		return false;
	drain->out[drain->outs++] =
	    (struct drained_listener){set, fd, event->events, event->data.u64, drain->makes};
	return true;
}

void drain_put_back(struct drain *drain, bool (*is_listener)(int fd))
{
	for (unsigned i = 0; i < drain->outs; i++)
		if (is_listener(drain->out[i].fd) && !is_made_again(drain, &drain->out[i]))
			add(&drain->out[i]);
	drain->outs = drain->sees = 0;
}
