/* exit_plan.h - how the workers of this program leave, and what of that is vouched for: as SL_LEAVE
 * says, else as the server's profile does, else when they are idle, by _exit.
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
	bool is_known;            /* a profile names this server: its master does not accept */
	bool is_default;          /* its exit point is chosen: see exit_plan_choose_point() */
	bool method_is_vouched;   /* a profile says that this method suits it, ... */
	bool takes_time;          /* ... that what is open is finished before it ends */
	bool is_tcp_only;         /* ... that its workers accept by TCP */
	bool master_is_vouched;   /* ... that its master replaces workers that leave */
	uint64_t refuses_for;     /* milliseconds after its signal; 0: two accepts or waits */
	uint64_t replaced_within; /* milliseconds */
	enum lock lock;           /* the suspicion that made the close its exit point */
};

/* `is_started`: this process was started by execve to be a worker. */
struct exit_plan exit_plan_find(const struct config *config, bool is_started);

/* Where nobody says when to leave: at the close as long as a lock may be held that would stay
 * locked, else when idle. Asked again before each leaving, because a lock may be made late. */
void exit_plan_choose_point(struct exit_plan *plan);

#endif
