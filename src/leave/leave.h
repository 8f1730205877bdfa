/* leave.h - has a worker leave, and finds what blocks that.
 *
 * The functions are async-signal-safe, except for ACTION_EXIT, which runs the program's exit
 * handlers, and ACTION_QUICK_EXIT, which flushes stdio. May not know: limits, the pool, or why a
 * worker leaves. */
#ifndef SLSHIM_LEAVE_H
#define SLSHIM_LEAVE_H

#include <stdbool.h>

#include "exit_method.h"
#include "os/signal_mask.h"

enum blocker {
	BLOCKER_NONE,
	/* Permanent. */
	BLOCKER_FORBIDDEN,
	BLOCKER_SIGNAL_BLOCKED,
	BLOCKER_SIGNAL_UNHANDLED,
	BLOCKER_ACCEPTING_THREADS, /* several threads accept */
	/* Temporary. */
	BLOCKER_CHILDREN,
	BLOCKER_THREADS,
	BLOCKER_CONNECTION,
	BLOCKER_NO_PIPE, /* the pipe of death was not found, or several pipes may be it */
	/* At POINT_CLOSE: connections wait for this listener, and the kernel may have woken only this
	 * worker to accept them. */
	BLOCKER_BACKLOG,
	BLOCKERS
};

static inline bool leave_is_blocked_for_good(enum blocker blocker)
{
	return blocker > BLOCKER_NONE && blocker < BLOCKER_CHILDREN;
}

/* Returns the first blocker of this exit method. `is_known`: a profile vouches that the method
 * suits the server's threads. `mask`: the calling thread's signal mask outside this library.
 * `many_accept`: several threads have accepted. `listener`: all of its connections have to be
 * closed before an exit. The backlog is checked last, so if that is the blocker there is no other.
 */
enum blocker leave_find_blocker(const struct exit_method *method, bool is_known,
                                const struct signal_mask *mask, bool many_accept, int listener);

/* Does a connection wait on a non-blocking listener? Takes two system calls. */
bool leave_has_backlog(int listener);

/* Returns after ACTION_SIGNAL and ACTION_PIPE_OF_DEATH, which ask the server to leave, and if perl
 * will exit when its close is done. Does not return after any other exit. */
void leave_carry_out(const struct exit_method *method);

/* Returns the errno for a refused accept() on this listener; every server tries again after it. */
int leave_refusal(int listener);

#endif
