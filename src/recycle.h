/* recycle.h - the conductor: what happens at each step of a worker's life. It knows all the
 * rooms; they know nothing of each other's business. What the master settles for its workers
 * beforehand is in server.h.
 *
 *     hook -> worker (is this a safe point?) -> meter (what has it now?) -> policy (too much?)
 *          -> worker, leave (may it?) -> pool (is it its turn?) -> report, leave */
#ifndef SLSHIM_RECYCLE_H
#define SLSHIM_RECYCLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "quantity.h"

/* Does this process count its connections? Not without a limit; and not for long if it is nobody's
 * child. */
extern _Atomic bool recycle_watches;

/* In the constructor. */
void recycle_start(char *const environment[]);

/* At an accept of a process that none of our fork handlers saw the birth of. */
void recycle_unseen(void);

/* Only while recycle_watches, in the current process. Returns 0, the errno to refuse with, or
 * RECYCLE_UNCOUNTED: limits are not about the connections of this listener. */
enum { RECYCLE_UNCOUNTED = -1 };
int recycle_before_accept(int listener);

/* Before a wait whose set may include the listener, while recycle_leaves_idle: not 0 where a worker
 * that leaves when idle may do so now. Then it depends on whether the set does include
 * recycle_listener(): recycle_idle(), which returns 0, or the errno to end the wait with, or
 * recycle_waits_elsewhere(). Both are given the answer: what it took to find that out counts. */
extern _Atomic bool recycle_leaves_idle;
uint64_t recycle_before_wait(void);
int recycle_listener(void);
int recycle_idle(uint64_t begun);
void recycle_waits_elsewhere(uint64_t begun);

/* Is it of interest which threads wait for a listener? Until it is known how this worker leaves,
 * and as long as it would leave when idle by default. Then, before such a wait: with the listener,
 * -1 where it is not known which it is, or whether it is one. To know is worth a look in /proc
 * while recycle_looks_for_listener(), which is true a few times in a life. */
extern _Atomic bool recycle_notes_waits;
bool recycle_looks_for_listener(void);
/* True for the first listener: then recycle_arrive() is to be called with it, and with the name of
 * all that are waited for together (worker_name_listener). */
bool recycle_waits_for(int listener);
void recycle_arrive(int listener, uint64_t waited_for);

/* What the application asks for (include/slshim.h), in the current process of a server that is on.
 * 0, or EBUSY while another thread judges, or ENODATA for what cannot be measured. */
int recycle_limit(enum quantity quantity, uint64_t limit);
int recycle_limit_request(enum quantity quantity, uint64_t limit);
int recycle_check(void);
int recycle_worker(void);
int recycle_request_done(void);
int recycle_measure(enum quantity quantity, uint64_t *value);

/* After the real close of a connection of this process's own. */
void recycle_closed(void);

#endif
