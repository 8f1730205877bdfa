/* trials.h - the word of each pool that tells whether its master was seen to replace a worker that
 * left. May not know: slots, leases, or what follows for a worker. */
#ifndef SLSHIM_TRIALS_H
#define SLSHIM_TRIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

enum trial {
	TRIAL_NONE,  /* no worker has left yet */
	TRIAL_OPEN,  /* the master has not yet replaced one that left */
	TRIAL_PASSED /* the master has replaced one */
};

enum trial trial_read(struct pool_page *page, uint32_t tag);
void trial_write(struct pool_page *page, uint32_t tag, enum trial trial);

/* Opens the trial after a lease was taken, unless a newcomer has passed it: it may fill the lease
 * as soon as that exists. */
void trial_begin(struct pool_page *page, uint32_t tag);

/* Notes that the vacancy of a worker that died has expired, if the trial is open. A newcomer may
 * still come for it: trial_fill_expired_vacancy() returns true, once for each, if there is one. */
void trial_note_expired_vacancy(struct pool_page *page, uint32_t tag);
bool trial_fill_expired_vacancy(struct pool_page *page, uint32_t tag);

#endif
