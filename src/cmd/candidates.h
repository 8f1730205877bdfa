/* candidates.h - the limits on unshared memory that a pool could have, what would follow from each,
 * and which one to set. Pure. May not know: how the growth was seen, or how a limit is written. */
#ifndef SLSHIM_CANDIDATES_H
#define SLSHIM_CANDIDATES_H

#include <stdbool.h>

#include "cmd/advice.h"

/* Bytes and seconds. What is not known is NAN. */
struct pool_facts {
	unsigned workers;
	unsigned away;  /* workers that may be away at a time, and be replaced meanwhile */
	double shared;  /* what they and their master share, counted once, and the master's own */
	double others;  /* what others have of the same memory, without what can be reclaimed */
	double allowed; /* what all may have together: less some headroom */
	double replaced_after; /* from a worker's leaving until another one serves in its place */
};

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

struct candidate {
	double limit;
	double all;  /* the pool at this limit, and the others */
	double life; /* units of work of one worker; INFINITY if it does not cross the limit */
	struct interval recycled; /* workers an hour */
	enum answer fits, is_replaced;
};

enum { CANDIDATES = 4, NONE_CHOSEN = -1 };

struct candidates {
	struct candidate of[CANDIDATES]; /* the smallest first */
	unsigned count;
	int chosen;           /* the largest that fits and can be replaced; or NONE_CHOSEN */
	bool is_guard;        /* no worker is expected to cross it */
	unsigned would_fit;   /* workers at the smallest limit, where so many as there are do not fit */
	double most_replaced; /* workers an hour that the master can replace; NAN: unknown */
};

/* There are none if the advice is that not enough was seen. */
struct candidates candidates_find(const struct advice *advice, const struct pool_facts *facts);

#endif
