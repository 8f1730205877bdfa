/* newcomers.h - which vacancy a newcomer fills. May not know: who may leave next. */
#ifndef SLSHIM_NEWCOMERS_H
#define SLSHIM_NEWCOMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

struct pool_newcomer {
	uint64_t born, now; /* as it enters */
	uint64_t timeout;
	bool is_vouched; /* as in pool_terms */
};

/* A newcomer is there, before it takes its slot: a vacancy is filled, a lease's or that of one who
 * died. True if it was the latter. */
bool pool_fill_vacancy(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                       pool_is_alive *is_member);

#endif
