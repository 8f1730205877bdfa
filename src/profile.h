/* profile.h - the table of known servers: how one of their workers leaves cleanly, and that their
 * masters replace it. May not know: this worker, its memory, or the configuration. */
#ifndef SLSHIM_PROFILE_H
#define SLSHIM_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "way.h"

enum { PROFILE_NAMES = 6 };

struct profile {
	const char *title;                /* for people, and in the manual: "httpd prefork" */
	const char *names[PROFILE_NAMES]; /* patterns that program_is() takes; NULL from the end on */
	const char *argument;             /* and that one of its arguments fits; NULL: whatever */
	bool (*is_it)(void);              /* and that is true; NULL: nothing to ask */
	struct way way;
	/* It finishes what is open before it ends: it need not be idle. */
	bool takes_time;
	/* Its master starts each worker by execve, with a listener that it inherits: how that master
	 * itself is started, a pattern of its path. NULL: it forks its workers. */
	const char *master;
	/* It can be run without a master: then its first process accepts beside those that it forked.
	 * Nobody vouches for it, and by the time of the trial it has been seen to accept. */
	bool may_lack_master;
	/* Milliseconds after its signal in which it may accept nothing, for what it accepts before its
	 * handler has run it drops; 0: it serves that. On a non-blocking listener only. */
	unsigned refuses_for;
	/* Its workers accept by TCP only; those on Unix sockets are helpers of its modules, which no
	 * way of its own makes leave (mod_wsgi's daemons hang). */
	bool is_tcp_only;
	unsigned replaced_within; /* milliseconds in which its master replaces a leaver, if it does;
	                             0: as usual */
};

/* After program_set: which rows may fit, and the symbols that they ask about. */
void profile_start(void);

/* Is a program of this name started by execve to be a worker? Cheap enough for every program. */
bool profile_is_started(const char *name);

/* The profile of this program, as it is configured now; NULL if none fits. */
const struct profile *profile_find(void);

/* The profile of the workers that this program starts by execve; NULL if it is no such master. */
const struct profile *profile_find_started(void);

/* The rows in order; NULL after the last one. */
const struct profile *profile_row(size_t index);

#endif
