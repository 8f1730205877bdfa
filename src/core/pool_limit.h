/* pool_limit.h - SL_MAX_POOL: tells the pool what this worker has, and the limits what the others
 * have.
 *
 * The limit is on the sum of what the workers last measured of themselves. A worker measures itself
 * when it may have grown by a part of what is left to the pool.
 *
 * Under the guard. May not know: how a worker leaves, or when it is asked to. */
#ifndef SLSHIM_POOL_LIMIT_H
#define SLSHIM_POOL_LIMIT_H

#include <stdbool.h>

/* Where that limit is set, in the place of limit_state_measure(). */
bool pool_limit_measure(void);

/* Called before the worker leaves: if it is over that limit, looks again, and at those only that
 * are alive. */
void pool_limit_look_closely(void);

/* Is the worker over no limit but that of its pool? Then it leaves only if no other one would give
 * more back. */
bool pool_limit_is_the_only(void);

#endif
