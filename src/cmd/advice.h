/* advice.h - how the workers of a pool grow: told from their lives, as far as these were seen.
 * Pure. May not know: where the figures are from, how large the pool may be, or which limit
 * follows.
 *
 * A life is one worker from its fork to its end. It is what is counted, not the measurement: those
 * of one life resemble each other. */
#ifndef SLSHIM_ADVICE_H
#define SLSHIM_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/estimate.h"

/* One measurement of a worker. What is not known is NAN. */
struct advice_sample {
	double at;       /* seconds since the watching began */
	double age;      /* seconds since its fork */
	double served;   /* connections since its fork */
	double busy;     /* seconds of processor time since its fork */
	double unshared; /* bytes */
};

struct advice_life {
	const struct advice_sample *samples; /* by time */
	size_t count;
};

/* What a life needs to count, and how many such lives an answer needs. A worker that does nothing
 * cannot show that it leaks. */
enum {
	ADVICE_LEAST_LIVES = 3,
	ADVICE_LEAST_SAMPLES = 8,
	ADVICE_LEAST_SERVED = 10, /* connections, while it was watched */
	ADVICE_LEAST_BUSY = 1,    /* hundredths of a second of its last half, if these are unknown */
	ADVICE_LEAST_JUMPS = 3
};

enum advice_kind {
	ADVICE_NOT_ENOUGH,
	ADVICE_PLATEAU,    /* a worker grows up to a level, and stays there */
	ADVICE_LEAK,       /* it grows with what it serves, without end */
	ADVICE_JUMPS,      /* it grows by a few large steps */
	ADVICE_BORN_LARGE, /* it hardly grows, because it has nearly all of it soon after its fork */
	ADVICE_KINDS
};

/* What of them was not seen. */
enum advice_lack {
	ADVICE_LACKS_NOTHING,
	ADVICE_LACKS_LIVES,
	ADVICE_LACKS_CERTAINTY, /* they may grow, or not */
	ADVICE_LACKS_PACE,      /* they grow, evenly or ever more slowly */
	ADVICE_LACKS_LEVEL,     /* they still grow, but ever more slowly */
	ADVICE_LACKS_JUMPS      /* one or two large steps were seen */
};

/* Amounts are bytes; "unit of work" is a connection, or where those are not known a second of age.
 */
struct advice {
	enum advice_kind kind;
	enum advice_lack lack;
	bool by_connections;
	unsigned lives_seen, lives; /* all, and those that count */
	unsigned births;            /* lives that were seen from their beginning, of those that count */
	size_t samples;             /* of these */
	double span;                /* seconds from the first measurement to the last */
	double work_per_hour;       /* units, of all workers together */
	double half;                /* units: so much was seen of the last half of a life; a median */
	struct interval slope;      /* a unit of work, over that last half */
	double born;                /* soon after the fork; a median; NAN: no birth was seen */
	double fresh, fresh_most;   /* where the growth begins; a median, and 95 of 100 are below */
	double level;               /* what 95 of 100 lives stay below in their last half */
	unsigned jumps;             /* in those last halves */
	double jump, jump_most;     /* a median, and the largest */
};

struct advice advice_find(const struct advice_life *lives, size_t count);

/* How many of these workers should have crossed that limit by now, as they grow by `advice`? That
 * is, if it was set all the time. NAN where nothing is predicted. */
struct interval advice_crossings(const struct advice *advice, const struct advice_life *lives,
                                 size_t count, double limit);

#endif
