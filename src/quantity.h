/* quantity.h - the quantities of a worker that can have a limit. The environment, the probes, the
 * policy and the log all use these.
 *
 * May not know: how a quantity is measured, or what follows from it. */
#ifndef SLSHIM_QUANTITY_H
#define SLSHIM_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "os/line.h"

enum quantity {
	QUANTITY_SIZE,         /* bytes of address space, resident or not */
	QUANTITY_RESIDENT,     /* bytes in memory, shared or not */
	QUANTITY_UNSHARED,     /* bytes that only this process maps, except those freed lazily */
	QUANTITY_SHARED,       /* bytes that other processes map too */
	QUANTITY_PROPORTIONAL, /* bytes resident, each divided by the number of processes that map it;
	                          the same exception */
	QUANTITY_SWAPPED,      /* bytes of it that were swapped out */
	QUANTITY_GROWTH,       /* bytes of unshared memory beyond those at its first measurement */
	QUANTITY_CONNECTIONS,  /* connections accepted since this worker's fork */
	QUANTITY_REQUESTS,     /* requests that the application reported as done since its fork */
	QUANTITY_AGE,          /* milliseconds since its fork */
	QUANTITY_CPU,          /* milliseconds of processor time, user and system */
	QUANTITY_DESCRIPTORS,  /* open descriptors */
	QUANTITY_POOL,         /* bytes of proportional memory of all workers of its pool together, as
	                          each of them last measured it */
	QUANTITIES
};

enum unit { UNIT_BYTES, UNIT_COUNT, UNIT_MILLISECONDS };

/* How each quantity is written, in the order of the enum. */
struct quantity_kind {
	const char *name;     /* in the log: "unshared" */
	const char *variable; /* the limit on it: "SL_MAX_UNSHARED" */
	bool is_floor;        /* a value that is strictly less crosses the limit, not one greater */
	enum unit unit;       /* UNIT_BYTES is written in KB, UNIT_MILLISECONDS in seconds */
};

extern const struct quantity_kind quantity_kinds[QUANTITIES];

/* One measurement. The value of a quantity whose bit in `known` is clear means nothing. */
struct sample {
	uint64_t value[QUANTITIES];
	unsigned known; /* bit q: value[q] was measured */
	/* Bytes that unshared memory leaves out, if it is known. */
	uint64_t lazily_freed, of_shared_mappings;
};

static inline bool sample_knows(const struct sample *sample, enum quantity quantity)
{
	return sample->known >> quantity & 1;
}

static inline void sample_set(struct sample *sample, enum quantity quantity, uint64_t value)
{
	sample->value[quantity] = value;
	sample->known |= 1u << quantity;
}

/* Writes "51200 KB", "0.25 s" or "17": a value of this quantity in its unit. A KB is 1,024 bytes.
 * Values are rounded up, so that one over its limit is never written as equal to it. */
void quantity_write(struct line *line, enum quantity quantity, uint64_t value);

#endif
