/* wait_set.h - what a wait is about to wait for, by poll, select or epoll.
 *
 * Nothing here changes a set, or takes anything from it. May not know: listeners, or why one asks.
 * Async-signal-safe. */
#ifndef SLSHIM_WAIT_SET_H
#define SLSHIM_WAIT_SET_H

#include <poll.h>
#include <stdbool.h>
#include <sys/select.h>

enum { WAIT_SETS = 3 };

struct wait_set {
	enum { WAITS_BY_POLL, WAITS_BY_SELECT, WAITS_BY_EPOLL } kind;
	struct pollfd *polled; /* poll writes to their `revents` alone, as the wait itself will */
	nfds_t count;          /* of these */
	int end;               /* of select: no descriptor from this one on */
	const fd_set *selected[WAIT_SETS]; /* to read, to write, and for other things */
	int epoll;                         /* the descriptor of the set */
};

/* Is this descriptor among those that it waits to read from? Of an epoll set that is in /proc. */
bool wait_set_includes(const struct wait_set *set, int fd);

/* Waits for that many milliseconds at most; as the wait itself would: above 0 when something is
 * there, below with errno. */
int wait_set_pause(const struct wait_set *set, unsigned milliseconds);

/* Would the wait return at once for something else than this descriptor? True if that is not known.
 */
bool wait_set_is_ready_besides(const struct wait_set *set, int fd);

/* Calls `visit` with each member of an epoll set until it returns false; the kernel tells in /proc
 * what is in it. */
void wait_set_each_of_epoll(int set, bool (*visit)(int fd, void *argument), void *argument);

#endif
