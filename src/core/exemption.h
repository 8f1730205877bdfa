/* exemption.h - why a worker that is over a limit may stay: it can give memory back, or no worker
 * of this server could keep that limit.
 *
 * Under the guard. May not know: when it is asked, or how a worker leaves. */
#ifndef SLSHIM_EXEMPTION_H
#define SLSHIM_EXEMPTION_H

#include <stdbool.h>

/* Before the worker has served anything: one that is over a limit already would be replaced by one
 * as large, so that limit is disabled for it. */
void exemption_at_birth(void);

/* With SL_TRIM, gives memory back and measures again. True if the worker is within its limits then,
 * or if it may not allocate here and SL_TRIM is to be tried at a later exit point. */
bool exemption_by_trim(bool may_allocate);

/* True if the workers that left last came over a limit as early in their lives as this one: then
 * the limit is disabled for it. */
bool exemption_of_early(void);

/* The worker leaves. */
void exemption_note_leaving(void);

#endif
