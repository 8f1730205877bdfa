/* exit_method.h - how a worker leaves: by which action and at which point, and how that is written
 * in SL_LEAVE and in the log. Pure. */
#ifndef SLSHIM_EXIT_METHOD_H
#define SLSHIM_EXIT_METHOD_H

#include <stdbool.h>

#include "os/line.h"

enum exit_action {
	ACTION_UNSPECIFIED,  /* SL_LEAVE is not set, so a profile may choose */
	ACTION_NONE,         /* stay, whatever happens */
	ACTION_SIGNAL,       /* raise a signal that the server answers by leaving gracefully */
	ACTION_EXIT,         /* exit(status), with the atexit handlers, under a watchdog */
	ACTION_QUICK_EXIT,   /* flush stdio, then _exit(status) */
	ACTION_PIPE_OF_DEATH /* give httpd's main thread the byte that its master would send */
};

/* All exit points lie between two connections. */
enum exit_point {
	POINT_CLOSE,  /* right after the close of the last open connection */
	POINT_ACCEPT, /* before the real accept */
	/* When all work is done and no connection is taken yet: before the real accept on a blocking
	 * listener; on a non-blocking one before the wait (poll, select, epoll) that includes it,
	 * because after the wait a wake-up that EPOLLEXCLUSIVE gave to this worker alone would be lost.
	 */
	POINT_IDLE
};

struct exit_method {
	enum exit_action action;
	int signal; /* with ACTION_SIGNAL */
	enum exit_point point;
	int status; /* with ACTION_EXIT and ACTION_QUICK_EXIT, 0 to 255 */
};

/* Does it end the process through the C library, which may take locks? */
static inline bool exit_method_exits(const struct exit_method *method)
{
	return method->action == ACTION_EXIT || method->action == ACTION_QUICK_EXIT;
}

/* Reads "USR1@close", "_exit@accept", "exit:3@idle", "none" or the like; false, with `method`
 * undefined, if it is none of these. */
bool exit_method_read(const char *text, struct exit_method *method);

/* Says what exit_method_read() accepts, for a remark. */
extern const char exit_method_accepted[];

/* Writes what exit_method_read() accepts; "none" for ACTION_UNSPECIFIED. */
void exit_method_describe(const struct exit_method *method, struct line *line);

#endif
