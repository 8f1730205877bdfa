/* made_views.h - views that are made up, for tests of what is shown of them. */
#ifndef SLSHIM_MADE_VIEWS_H
#define SLSHIM_MADE_VIEWS_H

#include "cmd/view.h"

enum { MADE_VIEWS = 6 };
extern const char *const made_view_names[MADE_VIEWS];

/* Returns the views of this name, which stay until the next call; NULL if there is none. */
const struct views *made_views(const char *name);

#endif
