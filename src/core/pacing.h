/* pacing.h - how often a worker that may not leave yet asks again: so seldom that it is no slower
 * than one that need not leave.
 *
 * After "not now" the question is not asked again before a hundred times as long as it took has
 * passed; and a point that comes again and again before that time is not worth a look at the clock
 * each time. May not know: what the question is. */
#ifndef SLSHIM_PACING_H
#define SLSHIM_PACING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero at birth. */
struct pacing {
	uint64_t asks_from;     /* boot clock, nanoseconds; written under the guard */
	unsigned stride;        /* so many points go by from one look at that clock to the next, ... */
	_Atomic unsigned rests; /* ... of which these are left; any thread counts down */
};

/* Does a point go by? Two threads may count the same rest; then it is one longer. */
static inline bool pacing_rests(struct pacing *pacing)
{
	unsigned rests = atomic_load_explicit(&pacing->rests, memory_order_relaxed);

	if (rests > 0)
		atomic_store_explicit(&pacing->rests, rests - 1, memory_order_relaxed);
	return rests > 0;
}

/* Is it time to ask at `now`? If not, more points than before go by. */
bool pacing_is_time(struct pacing *pacing, uint64_t now);

/* It is, because what the worker waited for has come. */
void pacing_ask_now(struct pacing *pacing);

/* The answer was "not now", and to find it took `took` nanoseconds of processor time. */
void pacing_not_now(struct pacing *pacing, uint64_t now, uint64_t took);

/* Milliseconds until it is time, at least 1, at most a minute. */
unsigned pacing_rest(const struct pacing *pacing, uint64_t now);

#endif
