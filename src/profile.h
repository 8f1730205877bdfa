/* profile.h - the table of known servers: how one of their workers leaves cleanly, and that their
 * masters replace it. May not know: this worker, its memory, or the configuration. */
#ifndef SLSHIM_PROFILE_H
#define SLSHIM_PROFILE_H

#include <stdbool.h>

#include "way.h"

struct profile {
	const char *title;           /* for people: "httpd prefork" */
	const char *const *programs; /* names that its image is known by; NULL at the end */
	bool (*is_it)(void);         /* is the program of that name really this server? */
	struct way way;
	unsigned replaced_within; /* milliseconds in which its master replaces a leaver, if it does */
};

/* Looks up symbols that a profile asks about; in the constructor. */
void profile_start(const char *program);

/* The profile of the program of this name, as it is configured now; NULL if none fits. */
const struct profile *profile_find(const char *program);

#endif
