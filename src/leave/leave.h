/* leave.h - carries out a worker's leaving, and says first what stands in its way.
 *
 * Async-signal-safe, but for DEED_EXIT, which runs the program's own handlers, and for the stdio
 * buffers that DEED_QUICKEXIT flushes. May not know: limits, the pool, or why one leaves. */
#ifndef SLSHIM_LEAVE_H
#define SLSHIM_LEAVE_H

#include <stdbool.h>

#include "exit_method.h"
#include "os/process.h"

enum hindrance {
	LEAVE_IS_CLEAN,
	/* for good */
	LEAVE_FORBIDDEN,
	LEAVE_SIGNAL_BLOCKED,
	LEAVE_SIGNAL_UNHANDLED,
	LEAVE_THREADED, /* several of them accept */
	/* for now */
	LEAVE_HAS_CHILDREN,
	LEAVE_HAS_THREADS,
	LEAVE_IS_CONNECTED,
	LEAVE_HAS_NO_PIPE, /* or several that may be the one */
	/* At a close: others wait for this listener, and the kernel may have woken this worker alone
	 * to accept them. */
	LEAVE_HAS_BACKLOG
};

static inline bool leave_is_hindered_for_good(enum hindrance hindrance)
{
	return hindrance > LEAVE_IS_CLEAN && hindrance < LEAVE_HAS_CHILDREN;
}

/* `is_known`: a profile vouches that this way suits the server's threads. `mask`: what the thread
 * that asks has blocked when it does not. `many_accept`: several threads have accepted. `listener`:
 * the descriptor whose connections must all be closed before an exit. What comes last in the enum
 * is looked at last: after a backlog nothing else is in the way. */
enum hindrance leave_hindrance(const struct way *way, bool is_known, const struct signal_mask *mask,
                               bool many_accept, int listener);

/* Does a connection wait for a listener that does not block? Costs one call. */
bool leave_has_backlog(int listener);

/* Returns after the server was asked, and where perl exits when its close is done; does not return
 * after any other exit. */
void leave_carry_out(const struct way *way);

/* The errno with which to refuse an accept on this listener: one that every server retries. */
int leave_refusal(int listener);

#endif
