/* profile.h - the table of known servers: how their workers leave cleanly, and whether their
 * masters replace them. May not know: this worker, its memory, or the configuration. */
#ifndef SLSHIM_PROFILE_H
#define SLSHIM_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "exit_method.h"
#include "leave/interpreter.h"

enum { PROFILE_NAMES = 6 };

/* What the program has to be, too. It is found out by what its image exports. */
enum profile_question {
	ASK_NOTHING,
	IS_HTTPD_PREFORK,
	IS_HTTPD_THREADED,
	IS_UWSGI_THREADED,
	IS_PHP_FPM,
	IS_PHP_SERVER
};

/* A program is one of these servers if its name tells so, or what its image exports, or what its
 * interpreter has loaded. Text is stored in arrays, because the loader would relocate each pointer
 * in a table at the start of every program. */
struct profile {
	char title[24];                /* in the log and the manual: "httpd prefork" */
	char names[PROFILE_NAMES][16]; /* patterns for program_is(); unused ones are "" */
	char argument[24];             /* pattern that one of its arguments has to match besides its
	                                  name; "": none */
	char exports[28];              /* a symbol that images of this server have, and no others; "":
	                                  none is known */
	enum language language;
	char loaded[28]; /* what that has loaded, as of interpreter.h; "": nothing tells */
	enum profile_question question;
	struct exit_method method;
	/* A worker finishes open connections before it ends, so it need not be idle to leave. */
	bool takes_time;
	/* A worker with connections open may stop accepting until it has none: no lock is held around
	 * its waits, and it serves what is open without new connections. */
	bool drains;
	/* Its method loses what it accepts meanwhile, or what has sent nothing yet, so it stops
	 * accepting first, even if nothing is open. */
	bool drains_first;
	/* Its master starts each worker by execve, with an inherited listener. This pattern matches the
	 * path of the master. "": the master forks its workers. */
	char master[20];
	/* It can run without a master; then its first process accepts besides those that it forked. So
	 * the profile does not vouch for its master, which is put on trial: by then a first process
	 * that accepts has been seen to. */
	bool may_lack_master;
	/* For how many milliseconds after its signal its accepts are refused, because it drops what it
	 * accepts before its handler has run; 0: it serves that. Only on a non-blocking listener. */
	unsigned refuses_for;
	/* Its interpreter runs the handler some time after the signal has come, and the next wait for a
	 * listener must not begin before that. */
	bool handler_is_late;
	/* Its workers accept only by TCP. Processes that accept on Unix sockets belong to its modules,
	 * and the server's exit method does not suit them: mod_wsgi's daemons hang. */
	bool is_tcp_only;
	unsigned replaced_within; /* milliseconds in which its master replaces a worker, if it does;
	                             0: the default */
};

static inline bool profile_is_of_started(const struct profile *profile)
{
	return profile->master[0] != '\0';
}

/* Called after program_set(), as all below. Finds the rows that name and image match. */
void profile_start(void);

/* Do name and image match this row? `exports` tells whether an image exports a symbol. */
bool profile_fits(const struct profile *profile,
                  bool (*exports)(const char *symbol, const void *image), const void *image);

/* Notes what the interpreter has loaded, in a master that is about to fork. Where it may not be
 * asked what was noted before counts. */
void profile_note_loaded(void);

/* Does a master start programs of this name by execve, as workers? Cheap, because it is asked at
 * the start of every program. */
bool profile_is_started(const char *name);

/* Returns the profile of this program; NULL if none matches. The answer depends on how the server
 * is configured at the time. */
const struct profile *profile_find(void);

/* Returns the profile of the workers that this program starts by execve; NULL if it starts none. */
const struct profile *profile_find_started(void);

/* Returns the rows in order; NULL after the last. */
const struct profile *profile_row(size_t index);

#endif
