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

/* In the constructor. `words`: the command line; NULL where the C library does not tell. */
void recycle_start(char *const environment[], char *const words[]);

/* While server_is_asleep: the program turns out to be a server, or asks to be watched. Reads what
 * was set; true if that is to be watched. Not for signal handlers. */
bool recycle_wakes(void);

/* At an accept of a process that none of our fork handlers saw the birth of. */
void recycle_unseen(void);

/* Only while recycle_watches, in the current process. Returns 0, the errno to refuse with, or
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

/* Before a wait whose set may include the listener, while recycle_leaves_idle and where there is
 * something to ask: not 0 where a worker that leaves when idle may do so now. Then it depends on
 * whether the set does include recycle_listener(): recycle_idle(), which returns 0, or the errno to
 * end the wait with, or recycle_waits_elsewhere(). Both are given the answer, because what it took
 * to find that out counts. `later`: milliseconds after which it is to be asked again within this
 * wait, because nothing may end it; 0: not. */
extern _Atomic bool recycle_leaves_idle;
bool recycle_is_something_to_ask(void);
uint64_t recycle_before_wait(bool has_timeout, unsigned *later);
int recycle_listener(void);
int recycle_idle(const struct recycle_wait *wait);
void recycle_waits_elsewhere(uint64_t begun);

/* Is it of interest which threads wait for a listener? Until it is known how this worker leaves,
 * and as long as it would leave when idle by default. Then, before such a wait: with the listener,
 * -1 where it is not known which it is, or whether it is one. To know is worth a look in /proc
 * while recycle_looks_for_listener(), which is true a few times in a life. */
extern _Atomic bool recycle_notes_waits;
bool recycle_looks_for_listener(void);
/* True for the first listener: then recycle_on_listener_wait() is to be called with it, and with
 * the name of all that are waited for together (worker_name_listener). */
bool recycle_waits_for(int listener, bool has_timeout);
void recycle_on_listener_wait(int listener, uint64_t waited_for);

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
