/* newcomers.h - decides which vacancy a newcomer fills. May not know: which workers may leave next.
 */
#ifndef SLSHIM_NEWCOMERS_H
#define SLSHIM_NEWCOMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

struct pool_newcomer {
	uint64_t born, now; /* milliseconds on the boot clock */
	uint64_t timeout;   /* as in struct pool_terms */
	bool is_vouched;    /* as in struct pool_terms */
};

/* Fills a vacancy, if there is one, for a newcomer that has no slot yet: that of a lease, or that
 * of a worker that died. Returns true for the latter. */
bool pool_fill_vacancy(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                       pool_is_alive *is_member);

#endif
