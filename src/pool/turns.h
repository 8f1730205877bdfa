/* turns.h - decides whether a worker may leave now. May not know: what a worker measures, or how it
 * leaves. */
#ifndef SLSHIM_TURNS_H
#define SLSHIM_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/census.h"
#include "pool/pool.h"
#include "pool/slots.h"

/* A pool is complete if no worker was born in the last 1/POOL_SETTLES of a timeout. */
enum { POOL_SETTLES = 10 };

enum pool_answer {
	POOL_GO,       /* a lease was taken, or is available */
	POOL_WAIT,     /* not now */
	POOL_ALONE,    /* the only worker of a master that was never seen to replace one */
	POOL_UNFILLED, /* the master did not replace the worker that left before */
};

struct pool_terms {
	unsigned most;             /* leases at a time */
	struct pool_census census; /* just taken */
	bool is_vouched;           /* a profile says that the master replaces workers that leave */
	bool has_served;           /* enough to have seen whether the parent accepts, too */
	uint64_t now;              /* milliseconds on the boot clock */
	uint64_t timeout;          /* of a lease, in milliseconds; the same in the whole pool */
};

/* Returns what pool_lease() would return now, as far as that is known without taking a lease. A
 * worker asks this before it frees its slot, because without a slot its death would not be seen. */
enum pool_answer pool_judge(struct pool_page *page, uint32_t tag, const struct pool_terms *terms);

/* Has this pool's master passed its trial? If not, a worker takes a complete census itself before
 * it asks for a lease. */
bool pool_is_proven(struct pool_page *page, uint32_t tag);

/* Takes a lease until `now` + `timeout`, if the answer is POOL_GO. */
enum pool_answer pool_lease(struct pool_page *page, uint32_t tag, const struct pool_terms *terms);

/* Enters a leaver: called after pool_lease() with the same terms, by a worker that finishes open
 * connections before it ends. */
void pool_note_left(struct pool_page *page, uint32_t tag, const struct pool_entry *entry,
                    const struct pool_terms *terms, pool_is_alive *is_alive);

/* Takes another lease for each leaver that has not ended and whose lease has run out. Called before
 * a census. */
void pool_renew_leases(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                       uint64_t timeout, pool_is_alive *is_member);

#endif
