/* limit_state.h - what was measured of this worker, over which limits that is, and since when.
 *
 * The state belongs to one process; whoever calls sees to it that one thread does at a time. May
 * not know: how a worker leaves, or what is in its way. */
#ifndef SLSHIM_LIMIT_STATE_H
#define SLSHIM_LIMIT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "quantity.h"

enum { CROSSED_BY_REQUEST = 1u << QUANTITIES };

struct limit_state {
	uint64_t limit[QUANTITIES]; /* of this worker, within SL_JITTER of those that are set */
	struct sample sample;       /* the last one */
	unsigned crossed;           /* by it, where that counts; bit q: the limit on quantity q;
	                               CROSSED_BY_REQUEST: the application has asked for it */
	uint64_t since;             /* when it was crossed first, without a break; boot clock, ms */
	uint64_t served;            /* connections until then */
	uint64_t undecided_for;     /* ms before it in which the budget allowed no walk */
};

extern struct limit_state limit_state;

/* At birth. `serves`: it was forked, and may be a worker. */
void limit_state_begin(bool serves);

/* True where a limit is crossed that was not before. What is crossed counts after SL_STRIKES in a
 * row, from SL_MIN_AGE on, and while there is SL_PRESSURE. */
bool limit_state_measure(void);

/* Which limits are crossed before the first connection. What SL_JITTER took from one that is
 * crossed only for that is given back. */
unsigned limit_state_at_birth(void);

/* These limits are off for this worker. */
void limit_state_disable(unsigned limits);

/* Measures again, whatever it costs. */
void limit_state_measure_again(void);

/* Is a limit crossed, also as far as the budget left it open? Nobody leaves for what is not known.
 */
bool limit_state_is_crossed_still(void);

/* The application sets a limit, 0 for none, for good or for the request at hand; or wants to leave:
 * then true as of limit_state_measure(). */
void limit_state_set(enum quantity quantity, uint64_t limit);
void limit_state_set_for_request(enum quantity quantity, uint64_t limit);
bool limit_state_ask_to_leave(void);

/* False if that cannot be known. */
bool limit_state_tell(enum quantity quantity, uint64_t *value);

/* All that can be known of the worker now; what was judged stays as it was. */
struct sample limit_state_describe(void);

#endif
