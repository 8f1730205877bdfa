/* facts.h - finds out about this worker what next_step.h asks for.
 *
 * Under the guard. May not know: what comes of it. */
#ifndef SLSHIM_FACTS_H
#define SLSHIM_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/guard.h"
#include "core/next_step.h"
#include "core/worker.h"
#include "os/wait_set.h"

/* What is asked at an exit point. */
struct inquiry {
	const struct guard_hold *hold;
	const struct wait_set *set; /* of the wait that is about to begin; NULL: none is */
	bool has_timeout;           /* of the last wait */
	uint64_t now;               /* boot clock, milliseconds */
};

/* What is known beforehand. */
struct view facts_begin(enum exit_point point, const struct inquiry *inquiry);

void facts_fetch(enum fact fact, struct view *view, const struct inquiry *inquiry);

/* Why its place would not be filled, or it is no worker at all. A handover of waiting connections
 * is nearly always clean, but not always: so only where the user asks for it. */
enum worker_ineligibility facts_find_ineligibility(void);

/* False where there is no slot. `waited_for`: the name of all the listeners that it waits for
 * together; 0: it accepts without a wait. */
bool facts_join(const struct exit_plan *plan, int listener, uint64_t waited_for);

void facts_choose_exit_point(void);

/* A process that accepts without being a worker is no master either. */
void facts_register_accepting_parent(int listener);

#endif
