/* leave.h - carries out a worker's leaving, and says first what stands in its way.
 *
 * Async-signal-safe, but for ACTION_EXIT, which runs the program's own handlers, and for the stdio
 * buffers that ACTION_QUICK_EXIT flushes. May not know: limits, the pool, or why one leaves. */
#ifndef SLSHIM_LEAVE_H
#define SLSHIM_LEAVE_H

#include <stdbool.h>

#include "exit_method.h"
#include "os/process.h"

enum blocker {
	BLOCKER_NONE,
	/* for good */
	BLOCKER_FORBIDDEN,
	BLOCKER_SIGNAL_BLOCKED,
	BLOCKER_SIGNAL_UNHANDLED,
	BLOCKER_ACCEPTING_THREADS, /* several of them accept */
	/* for now */
	BLOCKER_CHILDREN,
	BLOCKER_THREADS,
	BLOCKER_CONNECTION,
	BLOCKER_NO_PIPE, /* or several that may be the one */
	/* At a close: others wait for this listener, and the kernel may have woken this worker alone
	 * to accept them. */
	BLOCKER_BACKLOG,
	BLOCKERS
};

static inline bool leave_is_blocked_for_good(enum blocker blocker)
{
	return blocker > BLOCKER_NONE && blocker < BLOCKER_CHILDREN;
}

/* `is_known`: a profile vouches that this way suits the server's threads. `mask`: what the thread
 * that asks has blocked when it does not. `many_accept`: several threads have accepted. `listener`:
 * the descriptor whose connections must all be closed before an exit. What comes last in the enum
 * is looked at last: after a backlog nothing else is in the way. */
enum blocker leave_find_blocker(const struct exit_method *method, bool is_known,
                                const struct signal_mask *mask, bool many_accept, int listener);

/* Does a connection wait for a listener that does not block? Costs one call. */
bool leave_has_backlog(int listener);

/* Returns after the server was asked, and where perl exits when its close is done; does not return
 * after any other exit. */
void leave_carry_out(const struct exit_method *method);

/* The errno with which to refuse an accept on this listener: one that every server retries. */
int leave_refusal(int listener);

#endif
