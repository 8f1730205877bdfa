/* watch.h - looks at a pool again and again, and remembers the lives of its workers. With the
 * library their connections are told by its page; without it they are the children of a master, and
 * what they do is not known. May not know: what follows from their lives. */
#ifndef SLSHIM_WATCH_H
#define SLSHIM_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cmd/advice.h"
#include "cmd/view.h"

/* A life, as far as it was seen. Seconds on the boot clock. */
struct watched_life {
	pid_t pid;
	double born, told;   /* its fork; when it told the last of its figures */
	double at, unshared; /* when it was last measured, and bytes */
	struct advice_sample *samples;
	size_t count, room;
};

/* What is not known is NAN. */
struct watch {
	pid_t asked, master; /* 0: the master is in another pid namespace */
	uint64_t master_start_time;
	char program[64];
	bool has_library, has_ended;
	struct pool_view pool;      /* with the library, at the last look; its workers are not kept */
	struct watched_life *lives; /* by number, in no order */
	size_t count;
	double began, until;     /* seconds on the boot clock: the first look and the last */
	double cost;             /* of the last look, in seconds of processor time */
	unsigned workers;        /* at a time, at most */
	unsigned unreadable;     /* workers of the last look whose memory may not be read */
	unsigned others;         /* children of another program, which are left out */
	unsigned without_memory; /* things that were not remembered, for lack of memory */
	double shared;           /* bytes that all have together, less what workers have unshared ... */
	double all;              /* ... and with it; of the last look at which all could be read */
	double *served_after;    /* of workers that were born meanwhile: seconds from the fork until
	                            they told of a connection */
	size_t births;
};

/* Finds the pool of this process, a master or a worker, and looks at it once. Complains and returns
 * false if there is none. */
bool watch_begin(struct watch *watch, pid_t pid);

/* Looks again. False if the master has ended. */
bool watch_look(struct watch *watch);

void watch_end(struct watch *watch);

#endif
