/* wait_set.h - what a wait is about to wait for, by poll, select or epoll.
 *
 * Nothing here changes a set, or takes anything from it, but for what a wait returns. May not know:
 * listeners, or why one asks. Async-signal-safe. */
#ifndef SLSHIM_WAIT_SET_H
#define SLSHIM_WAIT_SET_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>
#include <time.h>

struct epoll_event;

enum { WAIT_SETS = 3, WAIT_POLLED = 1024 };

struct wait_set {
	enum { WAITS_BY_POLL, WAITS_BY_SELECT, WAITS_BY_EPOLL } kind;
	struct pollfd *polled;       /* only their `revents` are written, as by the wait itself */
	nfds_t count;                /* of these */
	int end;                     /* of select: no descriptor from this one on */
	fd_set *selected[WAIT_SETS]; /* to read, to write, and for other things */
	int epoll;                   /* the descriptor of the set */
	struct epoll_event *events;  /* room for what the wait returns, ... */
	int most;                    /* ... so many of them */
};

/* Is this descriptor among those that it waits to read from? Of an epoll set that is in /proc;
 * where that is out of sight, kcmp() tells. */
bool wait_set_includes(const struct wait_set *set, int fd);

/* Waits for that many milliseconds at most; as the wait itself would: above 0 when something is
 * there, below with errno. */
int wait_set_pause(const struct wait_set *set, unsigned milliseconds);

/* Would the wait return at once for something else than this descriptor? True if that is not known.
 */
bool wait_set_is_ready_besides(const struct wait_set *set, int fd);

/* Does poll or select wait to read from such a descriptor? */
bool wait_set_has(const struct wait_set *set, bool (*is_sought)(int fd));

/* Is there room for a copy: of at most WAIT_POLLED members of poll, FD_SETSIZE of select? */
bool wait_set_is_small(const struct wait_set *set);

/* The wait itself, of a small set, but poll and select leave some members out. When it returns 0
 * the sets of select are as they were: wait_set_clear() makes them what a wait returns whose time
 * is over. `time` NULL: no timeout. */
int wait_set_wait_without(const struct wait_set *set, bool (*is_left_out)(int fd),
                          const struct timespec *time, const sigset_t *mask);
void wait_set_clear(const struct wait_set *set);

#endif
