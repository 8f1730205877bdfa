/* quantity.h - the quantities that a worker has and a limit can concern: one vocabulary for the
 * environment, the probes, the policy and the log.
 *
 * May not know: where a quantity is read, or what is done about it. */
#ifndef SLSHIM_QUANTITY_H
#define SLSHIM_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "os/line.h"

enum quantity {
	QUANTITY_SIZE,         /* bytes of address space, resident or not */
	QUANTITY_RESIDENT,     /* bytes in memory, shared or not */
	QUANTITY_UNSHARED,     /* bytes that are this process's alone (private clean, dirty, huge) */
	QUANTITY_SHARED,       /* bytes that other processes map too */
	QUANTITY_PROPORTIONAL, /* bytes resident, each divided by the number of processes that map it */
	QUANTITY_SWAPPED,      /* bytes of its own that were swapped out */
	QUANTITY_GROWTH,       /* bytes of unshared memory beyond those at its first measurement */
	QUANTITY_CONNECTIONS,  /* connections accepted since this worker's fork */
	QUANTITY_REQUESTS,     /* requests that the application said were done since then */
	QUANTITY_AGE,          /* milliseconds since then */
	QUANTITY_CPU,          /* milliseconds of processor time, its own and the system's for it */
	QUANTITY_DESCRIPTORS,  /* open descriptors */
	QUANTITIES
};

enum unit { UNIT_BYTES, UNIT_COUNT, UNIT_MILLISECONDS };

/* What is written about each quantity, in the order of the enum. */
struct quantity_kind {
	const char *name;     /* in the log: "unshared" */
	const char *variable; /* the limit on it: "SL_MAX_UNSHARED" */
	bool is_floor;        /* the limit is crossed from above: strictly less, not strictly greater */
	enum unit unit;       /* written in KB, as a plain number, in seconds */
};

extern const struct quantity_kind quantity_kinds[QUANTITIES];

/* One measurement. A quantity that is not known is not 0: its bit in `known` is clear and its
 * value means nothing. */
struct sample {
	uint64_t value[QUANTITIES];
	unsigned known; /* bit q: value[q] was measured */
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

/* "51200 KB", "0.25 s" or "17": a value of this quantity in the unit of its limit. KB are 1024
 * bytes. Rounded up, so that a value over its threshold never prints as equal to it. */
void quantity_write(struct line *line, enum quantity quantity, uint64_t value);

#endif
