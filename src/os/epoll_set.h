/* epoll_set.h - what is in a set of epoll, and what of it is ready. Elsewhere than on Linux no
 * descriptor is such a set.
 *
 * Nothing here changes a set, or takes anything from it, but for what a wait returns. May not know:
 * listeners, or why one asks. Async-signal-safe. */
#ifndef SLSHIM_EPOLL_SET_H
#define SLSHIM_EPOLL_SET_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct epoll_event;

/* A member of a set, as epoll_ctl() was told. */
struct epoll_member {
	int fd;
	uint32_t events;
	uint64_t data;
};

/* Calls `visit` with each member of a set until it returns false; the kernel tells in /proc what is
 * in it. True if all were visited. */
bool epoll_set_each_member(int set,
                           bool (*visit)(const struct epoll_member *member, void *argument),
                           void *argument);

/* Is it a set? False also if the kernel does not tell. For where /proc is out of sight. */
bool epoll_set_is_one(int fd);

/* Is this descriptor in it? Where /proc is out of sight, kcmp() tells. */
bool epoll_set_includes(int set, int fd);

/* Waits for that many milliseconds at most until one of its members is ready: above 0; below with
 * errno. */
int epoll_set_pause(int set, unsigned milliseconds);

/* Is something else ready than this descriptor? True if that is not known. */
bool epoll_set_is_ready_besides(int set, int fd);

/* The wait itself. `time` NULL: no timeout. */
int epoll_set_wait(int set, struct epoll_event *events, int most, const struct timespec *time,
                   const sigset_t *mask);

#endif
