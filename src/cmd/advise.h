/* advise.h - all that slshim advise has found out about a pool, and the two ways to show it. */
#ifndef SLSHIM_ADVISE_H
#define SLSHIM_ADVISE_H

#include <stdbool.h>

#include "cmd/advice.h"
#include "cmd/candidates.h"
#include "cmd/room.h"
#include "cmd/watch.h"

/* What came of a dry run with a limit on unshared memory, against what the growth predicts. */
struct rehearsal {
	double limit;              /* bytes; 0: there is none */
	double came;               /* workers that would have left, since the master started */
	struct interval predicted; /* workers that should have crossed it since then */
	bool is_as_predicted;
};

struct findings {
	const struct watch *watch;
	struct advice advice;
	struct pool_facts facts;
	bool is_measured; /* `facts.replaced_after`; else it is SL_REPLACE_TIMEOUT */
	bool has_room;
	struct room room;
	unsigned headroom; /* percent */
	struct candidates candidates;
	struct rehearsal rehearsal;
};

/* "48M", as a limit may be set. */
enum { SETTING_SIZE = 32 };
void advise_setting(char text[SETTING_SIZE], double bytes);

/* Names of kinds and lacks, for people and scripts. */
extern const char *const advise_kinds[ADVICE_KINDS];

void advise_as_text(const struct findings *findings);
bool advise_as_json(const struct findings *findings); /* false if there was no memory */

#endif
