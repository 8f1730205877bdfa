/* application.c - see application.h. */
#include "core/application.h"

#include <errno.h>
#include <sched.h>

#include "core/recycle.h"
#include "core/server.h"
#include "core/worker.h"

/* A thread that judges does not take long, unless it is what called. */
static bool begin_patiently(struct guard_hold *hold)
{
	enum { TRIES = 100 };

	for (int i = 0; i < TRIES; i++) {
		if (guard_take(&worker.guard, hold))
			return true;
		sched_yield();
	}
	return false;
}

static int end_with(const struct guard_hold *hold, int answer)
{
	guard_release(&worker.guard, hold);
	return answer;
}

/* At the next exit point. */
static void make_due(void)
{
	worker.unchecked = server.config.check_every;
}

int application_limit(enum quantity quantity, uint64_t limit)
{
	struct guard_hold hold;

	if (!begin_patiently(&hold))
		return EBUSY;
	server_limit(quantity, limit);
	limit_state_set(&worker.limits, quantity, limit);
	return end_with(&hold, 0);
}

int application_limit_request(enum quantity quantity, uint64_t limit)
{
	struct guard_hold hold;

	if (!begin_patiently(&hold))
		return EBUSY;
	limit_state_set_for_request(&worker.limits, quantity, limit);
	make_due();
	return end_with(&hold, 0);
}

int application_check(void)
{
	make_due();
	return 0;
}

int application_leave(void)
{
	struct guard_hold hold;

	if (!begin_patiently(&hold))
		return EBUSY;
	if (limit_state_ask_to_leave(&worker.limits))
		recycle_note_crossing();
	return end_with(&hold, 0);
}

/* A thread that finds the guard taken does not measure, because another one does just now. */
int application_request_done(void)
{
	struct guard_hold hold;

	worker_request_done();
	if (worker.unchecked < server.config.check_every || !guard_take(&worker.guard, &hold))
		return 0;
	if (worker.course.phase == SERVING)
		recycle_measure();
	return end_with(&hold, 0);
}

int application_measure(enum quantity quantity, uint64_t *value)
{
	struct guard_hold hold;
	bool is_known;

	if (!begin_patiently(&hold))
		return EBUSY;
	is_known = limit_state_tell(&worker.limits, quantity, value);
	return end_with(&hold, is_known ? 0 : ENODATA);
}
