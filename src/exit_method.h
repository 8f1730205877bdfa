/* exit_method.h - how a worker leaves: what is done and at which moment, and how that is written in
 * SL_LEAVE and in the log. Pure. */
#ifndef SLSHIM_EXIT_METHOD_H
#define SLSHIM_EXIT_METHOD_H

#include <stdbool.h>

#include "os/line.h"

enum deed {
	DEED_UNSAID,       /* nobody has said: a profile may */
	DEED_NONE,         /* stay, whatever happens */
	DEED_SIGNAL,       /* raise a signal that the server answers by leaving gracefully */
	DEED_EXIT,         /* exit(status), with the atexit handlers, under a watchdog */
	DEED_QUICKEXIT,    /* flush stdio, then _exit(status) */
	DEED_PIPE_OF_DEATH /* give httpd's main thread the byte that its master would */
};

/* All moments lie between two connections. */
enum moment {
	MOMENT_CLOSE,  /* right after the close of the last open connection */
	MOMENT_ACCEPT, /* before the real accept */
	/* When all work is done and nothing is taken yet: before the real accept on a blocking
	 * listener; on a non-blocking one before the wait (poll, select, epoll) that includes it.
	 * At its accept a wake-up that EPOLLEXCLUSIVE gave to this worker alone would be lost. */
	MOMENT_IDLE
};

struct way {
	enum deed deed;
	int signal; /* with DEED_SIGNAL */
	enum moment moment;
	int status; /* with DEED_EXIT and DEED_QUICKEXIT, 0 to 255 */
};

/* Does it run what the C library does at an exit, which may take locks? */
static inline bool way_exits(const struct way *way)
{
	return way->deed == DEED_EXIT || way->deed == DEED_QUICKEXIT;
}

/* "USR1@close", "_exit@accept", "exit:3@idle", "none", ...; false, with `way` undefined, if it is
 * none of them. */
bool way_read(const char *text, struct way *way);

/* What way_read takes, for people. */
extern const char way_accepted[];

/* As way_read takes it; "none" also where nobody has said. */
void way_describe(const struct way *way, struct line *line);

#endif
