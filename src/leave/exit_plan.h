/* exit_plan.h - how the workers of this program leave, and what the server's profile vouches for.
 * They leave as SL_LEAVE says, or else as the profile says, or else by _exit() when they are idle.
 *
 * May not know: this worker, its pool, or its memory. */
#ifndef SLSHIM_EXIT_PLAN_H
#define SLSHIM_EXIT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "exit_method.h"
#include "leave/accept_lock.h"

struct exit_plan {
	struct exit_method method;
	const char *whose;        /* "SL_LEAVE", a profile's title, or "by default" */
	bool is_known;            /* a profile names this server, so its master does not accept */
	bool is_default;          /* exit_plan_choose_point() chooses the exit point */
	bool method_is_vouched;   /* the profile says that this method suits the server, ... */
	bool takes_time;          /* ... that a worker finishes open connections before it ends */
	bool drains;              /* it may stop accepting until nothing is open, ... */
	bool drains_first;        /* ... and has to, before it leaves */
	bool is_tcp_only;         /* ... that workers accept only by TCP */
	bool master_is_vouched;   /* ... that the master replaces workers that leave */
	bool handler_is_late;     /* ... that it runs some time after the signal */
	uint64_t refuses_for;     /* milliseconds after its signal; 0: for two accepts or waits */
	uint64_t replaced_within; /* milliseconds */
	enum lock lock;           /* the suspected lock that made POINT_CLOSE the exit point */
};

/* `is_started`: the master started this process by execve, to be a worker. */
struct exit_plan exit_plan_find(const struct config *config, bool is_started);

/* The same if this were its profile; NULL: none. */
struct profile;
struct exit_plan exit_plan_of(const struct profile *profile, const struct config *config,
                              bool is_started);

/* Chooses the exit point if neither SL_LEAVE nor a profile gives one: the close if this worker may
 * hold a lock that would stay locked, or else when it is idle. Called before each exit, because a
 * lock may be made late. */
void exit_plan_choose_point(struct exit_plan *plan);

#endif
