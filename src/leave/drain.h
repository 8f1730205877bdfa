/* drain.h - takes the listeners of a worker that drains out of its epoll sets, and puts them back.
 *
 * The kernel then wakes the siblings alone. The server does not notice: what it does meanwhile to a
 * listener that it takes for a member is done to the note of it here. (Of the sets of poll and
 * select each wait leaves the listeners out by itself, see os/wait_set.h.)
 *
 * An epoll set that was made before the fork may be shared with the siblings, and what is taken out
 * of it is taken from them as well. So only sets are changed that this process has made. May not
 * know: why a worker drains, or when that ends. */
#ifndef SLSHIM_DRAIN_H
#define SLSHIM_DRAIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct epoll_event;

enum { DRAIN_SETS = 16, DRAIN_LISTENERS = 64 };

/* Of one process. Written under the guard, but for `made`. */
struct drain {
	_Atomic int made[DRAIN_SETS]; /* the last sets that this process made; + 1, 0: none */
	_Atomic unsigned makes;       /* so many */

	/* Of the drain that is under way; none are in use while there is none. */
	unsigned sees, outs;
	int seen[DRAIN_SETS]; /* sets without listeners by now */
	struct drained_listener {
		int set, fd;
		uint32_t events; /* as of epoll_ctl() */
		uint64_t data;
		unsigned makes; /* when it was taken out */
	} out[DRAIN_LISTENERS];
};

/* Of epoll_ctl(): does it add, and is the listener waited for by the set after it? */
bool drain_is_addition(int change, const struct epoll_event *event);
bool drain_makes_ready(int change, const struct epoll_event *event);

/* In a process that begins: it has made no set. */
void drain_begin_process(struct drain *drain);

/* It has made this one; by any thread. */
void drain_note_made(struct drain *drain, int set);

enum drain_answer {
	DRAIN_NO_LISTENER, /* the set has none */
	DRAIN_OUT,         /* it has none any more */
	DRAIN_NOT_NOW,     /* a connection waits whose only wake-up came to this process */
	DRAIN_IMPOSSIBLE   /* the set may be shared, cannot be read, or has too many */
};

/* Would drain_take_out() find a listener, or has it? */
bool drain_concerns(const struct drain *drain, int set, bool (*is_listener)(int fd));

/* Takes all listeners out of this set. `may_strand`: even if that leaves a connection to be woken
 * for by the next one that comes. */
enum drain_answer drain_take_out(struct drain *drain, int set, bool (*is_listener)(int fd),
                                 bool may_strand);

/* What epoll_ctl() does to a listener that is out: true with the `error` to return, 0 for success;
 * false where it is not out of this set. */
bool drain_control(struct drain *drain, int set, int change, int fd,
                   const struct epoll_event *event, int *error);

/* Another listener, which the server adds itself, is out as well. False if there is no room. */
bool drain_keep_out(struct drain *drain, int set, int fd, const struct epoll_event *event);

/* All are put back of which `is_listener` holds still. */
void drain_put_back(struct drain *drain, bool (*is_listener)(int fd));

#endif
