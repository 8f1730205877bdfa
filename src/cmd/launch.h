/* launch.h - which program a command becomes: the kernel starts the interpreter of a script, and
 * env(1) the program that it names. May not know: what the program is. */
#ifndef SLSHIM_LAUNCH_H
#define SLSHIM_LAUNCH_H

#include <limits.h>
#include <stdbool.h>

#include "cmd/list.h"

struct launch {
	const char *program; /* as it was given */
	char path[PATH_MAX]; /* of the image */
	struct list words;   /* its command line */
	bool starts_another; /* it is a shell, or one that starts what its words name */
};

/* `program` is searched for in PATH, as execvp() does. False with errno if there is none. */
bool launch_find(struct launch *launch, const char *program, char *const words[]);
void launch_free(struct launch *launch);

#endif
