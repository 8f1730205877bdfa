/* trials.h - whether a master was seen to replace a worker that left. May not know: slots, leases,
 * or what follows for a worker. */
#ifndef SLSHIM_TRIALS_H
#define SLSHIM_TRIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

enum trial { TRIAL_NONE, TRIAL_OPEN, TRIAL_PASSED };

enum trial trial_read(struct pool_page *page, uint32_t tag);
void trial_write(struct pool_page *page, uint32_t tag, enum trial trial);

/* A vacancy that a death left ran out. While a trial is open, the next newcomer is for that one. */
void trial_note_forgotten_death(struct pool_page *page, uint32_t tag);
bool trial_takes_forgotten_death(struct pool_page *page, uint32_t tag);

#endif
