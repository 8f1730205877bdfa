/* idle.h - is anything left to do in this process, besides what its caller is about to wait for?
 *
 * May not know: listeners, pools, limits, or why one asks. Keeps errno; async-signal-safe. */
#ifndef SLSHIM_IDLE_H
#define SLSHIM_IDLE_H

enum idle {
	IDLE_NOTHING_LEFT,
	/* Told by whoever sees the waits of this process. */
	IDLE_SCHEDULED, /* the wait has a timeout */
	IDLE_READY,     /* the wait would return at once, not for a new connection */
	/* Told by idle_find_left(). */
	IDLE_THREAD,  /* another thread is not asleep, or only for a time, or cannot be looked at */
	IDLE_TIMER,   /* a timer is armed */
	IDLE_REQUEST, /* a request on a TCP connection of its own is not answered yet */
	IDLE_REASONS
};

/* What was found first. Dear: it looks at every descriptor and, twice, at every thread. A TCP
 * connection counts as one of the process's own: ask only when none from a client is open. */
enum idle idle_find_left(void);

#endif
