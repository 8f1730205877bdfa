/* publish.h - tells the page what this worker is and does, for whoever reads it from outside. Under
 * the guard. May not know: who reads it. */
#ifndef SLSHIM_PUBLISH_H
#define SLSHIM_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/worker.h"

/* Tells all of it; `now`: boot clock, milliseconds. */
void publish_now(uint64_t now);

/* After a check: mostly a second has not passed since the last time. */
static inline bool publish_is_due(void)
{
	enum { PERIOD = 1000 };

	return worker.limits.measured_at - worker.course.published_at >= PERIOD;
}

#endif
