/* recycle.h - the executor: at each exit point of a worker it finds out the facts that next_step.h
 * asks for, in the order of their price, and carries out the step.
 *
 *     hook -> worker.h: is this a safe point?
 *          -> limits/: what has it now, and is that too much?
 *          -> next_step.h: what next?  (leave/, pool/: the facts)
 *          -> report.h, leave/: say so, and go
 *
 * What the master settles for its workers beforehand is in server.h. */
#ifndef SLSHIM_RECYCLE_H
#define SLSHIM_RECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/worker.h"

/* In a process that begins: it serves, and nothing is known of it. */
void recycle_begin(void);

/* At an accept of a process that none of our fork handlers saw the birth of. */
void recycle_unseen(void);

/* Only while worker.is_watched, in the current process. Returns 0, the errno to refuse with, or
 * RECYCLE_UNCOUNTED: limits are not about the connections of this listener. */
enum { RECYCLE_UNCOUNTED = -1 };
int recycle_before_accept(int listener);

/* A wait that is about to begin; the hook that makes one has the set behind it. */
struct recycle_wait {
	bool has_timeout; /* of whatever length */
	/* Would it return at once for something else than the listener? True if that is not known. */
	bool (*is_ready)(const struct recycle_wait *wait, int listener);
	uint64_t begun; /* what recycle_before_wait() answered */
};

/* Before a wait whose set may include the listener, while worker.leaves_idle and where there is
 * something to ask: not 0 where a worker that leaves when idle may do so now. Then it depends on
 * whether the set does include worker.listener: recycle_idle(), which returns 0, or the errno to
 * end the wait with, or recycle_waits_elsewhere(). Both are given the answer, because what it took
 * to find that out counts. `later`: milliseconds after which it is to be asked again within this
 * wait, because nothing may end it; 0: not. */
bool recycle_is_something_to_ask(void);
uint64_t recycle_before_wait(bool has_timeout, unsigned *later);
int recycle_idle(const struct recycle_wait *wait);
void recycle_waits_elsewhere(uint64_t begun);

/* While worker.notes_waits, before a wait: with the listener, -1 where it is not known which it is,
 * or whether it is one. To know is worth a look in /proc while recycle_looks_for_listener(), which
 * is true a few times in a life. */
bool recycle_looks_for_listener(void);
/* True for the first listener: then recycle_on_listener_wait() is to be called with it, and with
 * the name of all that are waited for together (worker_name_listener). */
bool recycle_waits_for(int listener, bool has_timeout);
void recycle_on_listener_wait(int listener, uint64_t waited_for);

/* After the real close of a connection of this process's own. */
void recycle_closed(void);

/* Under the guard: measures, and notes when a limit is crossed or is no longer. */
void recycle_measure(void);
void recycle_note_crossing(void);

#endif
