/* top_pool.h - what is told of a pool as a whole, and the table of several pools. May not know:
 * where it is shown. */
#ifndef SLSHIM_TOP_POOL_H
#define SLSHIM_TOP_POOL_H

#include "cmd/top_text.h"
#include "cmd/view.h"

/* The same pool in another look; NULL: it was not there. */
const struct pool_view *top_find_again(const struct views *views, const struct pool_view *pool);

/* Adds what there is to know of a pool, in `most` lines at most: first what matters most. `before`
 * is the same pool at the last look, from which come rates; it may be NULL. */
void top_tell_pool(struct top_text *text, const struct pool_view *pool,
                   const struct pool_view *before, unsigned most);

/* Adds a line of titles and one for each of some pools. */
void top_tell_pools(struct top_text *text, const struct views *views, const struct views *before,
                    unsigned first, unsigned count, unsigned chosen);

/* Adds what there is besides pools that may be read; nothing, if there is nothing. */
void top_tell_others(struct top_text *text, const struct views *views);

#endif
