/* metrics_views.h - views that are made up, for tests of what is shown of them. */
#ifndef SLSHIM_METRICS_VIEWS_H
#define SLSHIM_METRICS_VIEWS_H

#include "cmd/view.h"

enum { METRICS_VIEWS = 6 };
extern const char *const metrics_view_names[METRICS_VIEWS];

/* Returns the views of this name, which stay until the next call; NULL if there is none. */
const struct views *metrics_views(const char *name);

#endif
