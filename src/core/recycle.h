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
#include "os/wait_set.h"

/* In a process that begins: it serves, and nothing is known of it. */
void recycle_begin(void);

/* Only while worker.is_watched, in the current process: it may confine itself to a directory
 * without /proc now. */
void recycle_before_chroot(void);

/* At an accept of a process that none of our fork handlers saw the birth of. */
void recycle_unseen(void);

/* Only while worker.is_watched, in the current process. Returns 0, the errno to refuse with, or
 * RECYCLE_UNCOUNTED: limits are not about the connections of this listener. */
enum { RECYCLE_UNCOUNTED = -1 };
int recycle_before_accept(int listener);

/* While worker.leaves_idle, before a wait: is there something to ask? Then the wait, if its set
 * includes the listener, may be the worker's exit point: true where it is over before it began,
 * with errno. A wait with neither a timeout nor a mask may be ended by nothing for long: where it
 * is too early to ask, the worker waits here until it is time. */
bool recycle_is_something_to_ask(void);
bool recycle_ends_wait(const struct wait_set *set, bool has_timeout, bool has_mask);

/* While worker.awaits_handler, before a wait: true where it includes the listener, and is over. The
 * handler has had time to run until then. */
bool recycle_awaits_handler(const struct wait_set *set);

/* While worker.notes_waits, before a wait: with the listener, -1 where it is not known which it is,
 * or whether it is one. To know is worth a look in /proc while recycle_looks_for_listener(), which
 * is true a few times in a life. */
bool recycle_looks_for_listener(void);
/* True for the first listener: then recycle_on_listener_wait() is to be called with it, and with
 * the name of all that are waited for together (worker_name_listener). */
bool recycle_waits_for(int listener, bool has_timeout);
void recycle_on_listener_wait(int listener, uint64_t waited_for);

/* While worker.drains, before a wait: WAIT_OVER, with EINTR; or how to make it. One that is muted
 * leaves out the listeners of this worker (worker_shares), of poll and select: of epoll they are
 * out; it is to end soon, and this to be asked again. */
enum recycle_wait { WAIT_AS_IT_IS, WAIT_MUTED, WAIT_OVER };
enum recycle_wait recycle_before_drained_wait(const struct wait_set *set, bool has_timeout);

/* After the real close of a connection of this process's own. */
void recycle_closed(void);

/* Under the guard: measures, and notes when a limit is crossed or is no longer. */
void recycle_measure(void);
void recycle_note_crossing(void);

#endif
