/* turns.h - may a worker leave now? May not know: what a worker measures, or how it leaves. */
#ifndef SLSHIM_TURNS_H
#define SLSHIM_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/census.h"
#include "pool/pool.h"
#include "pool/slots.h"

/* No worker was born in the last 1/POOL_SETTLES of a timeout: they are all there. */
enum { POOL_SETTLES = 10 };

enum pool_answer {
	POOL_GO,       /* a lease was taken, or may be had */
	POOL_WAIT,     /* not now */
	POOL_ALONE,    /* the only worker of a master that was never seen to replace one */
	POOL_UNFILLED, /* the master did not replace who left before */
};

struct pool_terms {
	unsigned most;             /* leases at a time */
	struct pool_census census; /* just taken */
	bool is_vouched;           /* the master is known to replace who leaves */
	bool has_served;           /* so much that a parent that accepts, too, would have been seen */
	uint64_t now;              /* milliseconds on the boot clock */
	uint64_t timeout;          /* milliseconds, the same for all of the pool */
};

/* What pool_lease would answer now, as far as one can tell without taking a lease: a member asks
 * this before it gives up its slot, because nobody would see it die without one. */
enum pool_answer pool_judge(struct pool_page *page, uint32_t tag, const struct pool_terms *terms);

/* Was this master seen to replace leavers? Where it was not, a lease is asked for with a census of
 * one's own. */
bool pool_is_proven(struct pool_page *page, uint32_t tag);

/* Asks for a lease until `now` + `timeout`. */
enum pool_answer pool_lease(struct pool_page *page, uint32_t tag, const struct pool_terms *terms);

/* After pool_lease on these terms, by one that finishes what is open before it ends. */
void pool_note_left(struct pool_page *page, uint32_t tag, const struct pool_member *member,
                    const struct pool_terms *terms, pool_is_alive *is_alive);

/* Before a census: those that have left and not ended get another lease where theirs ran out. */
void pool_renew_leases(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                       uint64_t timeout, pool_is_alive *is_member);

#endif
