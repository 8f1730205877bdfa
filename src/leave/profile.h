/* profile.h - the table of known servers: how one of their workers leaves cleanly, and that their
 * masters replace it. May not know: this worker, its memory, or the configuration. */
#ifndef SLSHIM_PROFILE_H
#define SLSHIM_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "exit_method.h"

enum { PROFILE_NAMES = 6 };

/* What else a program of that name has to be; asked of itself, by what it exports. */
enum profile_question { ASK_NOTHING, IS_HTTPD_PREFORK, IS_HTTPD_THREADED, IS_UWSGI_THREADED };

/* Text is in place, not pointed to: each pointer in a table is worked out at the start of every
 * program. */
struct profile {
	char title[24];                /* for people, and in the manual: "httpd prefork" */
	char names[PROFILE_NAMES][16]; /* patterns that program_is() takes; "" from the end on */
	char argument[24];             /* and that one of its arguments fits; "": whatever */
	enum profile_question question;
	struct exit_method method;
	/* It finishes what is open before it ends: it need not be idle. */
	bool takes_time;
	/* Its master starts each worker by execve, with a listener that it inherits: how that master
	 * itself is started, a pattern of its path. "": it forks its workers. */
	char master[20];
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

static inline bool profile_is_of_started(const struct profile *profile)
{
	return profile->master[0] != '\0';
}

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
