/* top_views.h - pools that nobody serves, of any number of workers, in place of those that
 * view.c finds. */
#ifndef SLSHIM_TOP_VIEWS_H
#define SLSHIM_TOP_VIEWS_H

#include "cmd/view.h"

/* Adds a pool with these workers, of all states, some of which have not told anything; `look` is
 * how many looks there were before, and moves all figures on. */
void made_up_add(struct views *views, unsigned workers, unsigned look);

#endif
