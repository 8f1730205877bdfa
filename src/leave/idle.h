/* idle.h - whether this process has work left, besides what its caller is about to wait for.
 *
 * The functions are async-signal-safe and keep errno. May not know: listeners, pools, limits, or
 * why it is asked. */
#ifndef SLSHIM_IDLE_H
#define SLSHIM_IDLE_H

#include <stdbool.h>

enum idle {
	IDLE_NOTHING_LEFT,
	/* Found by the hooks of the waits. */
	IDLE_SCHEDULED, /* the wait has a timeout */
	IDLE_READY,     /* the wait would return at once, and not for a new connection */
	/* Found by idle_find_left(). */
	IDLE_THREAD,  /* another thread runs, sleeps only for a time, or cannot be looked at */
	IDLE_TIMER,   /* a timer is armed */
	IDLE_REQUEST, /* this process awaits the answer to a request on a TCP connection */
	IDLE_REASONS
};

/* Returns the first work that is found. Expensive, because it looks at every descriptor and twice
 * at every thread. Call it only when no connection from a client is open, because it takes every
 * TCP connection for one that this process made. */
enum idle idle_find_left(void);

/* Were all other threads asleep when they were looked at, each in a wait without a timeout? False
 * also if they cannot be looked at. */
bool idle_others_sleep(void);

#endif
