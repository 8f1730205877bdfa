/* life.h - the age and the counts of a worker, and what the others of its pool have, on which there
 * are limits. May not know: which code counts, or what the figures are compared with. */
#ifndef SLSHIM_LIFE_H
#define SLSHIM_LIFE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The other workers of the pool together; bytes, as each of them last measured it. */
struct company {
	bool is_known;
	unsigned count; /* of those that have measured it, ... */
	uint64_t proportional, unshared;
	unsigned unmeasured; /* ... and of those that have not yet */
};

struct life {
	uint64_t born;             /* boot clock, milliseconds; written at birth, read-only after */
	_Atomic uint64_t served;   /* connections accepted since; any thread counts */
	_Atomic uint64_t requests; /* that the application reported as done since; any thread counts */
	struct company company;    /* written by the thread that checks */
};

#endif
