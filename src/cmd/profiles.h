/* profiles.h - which profiles a command may get, as far as its file and its words tell. What only
 * the running program would tell leaves several. May not know: the variables. */
#ifndef SLSHIM_PROFILES_H
#define SLSHIM_PROFILES_H

#include <stdbool.h>

#include "cmd/launch.h"
#include "leave/profile.h"

enum { PROFILES_MOST = 16 };

struct profiles {
	const struct profile *of[PROFILES_MOST]; /* in the order of the table */
	unsigned count;
	bool is_certain;              /* one of these it is; otherwise it may have none of them */
	const struct profile *starts; /* of the workers that it starts by execve; NULL: none */
};

/* Sets which program this is: see program_set(). */
void profiles_find(struct profiles *profiles, const struct launch *launch);

#endif
