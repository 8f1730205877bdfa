/* draining.c - see draining.h. */
#include "core/draining.h"

#include <errno.h>
#include <sched.h>

#include "core/server.h"
#include "core/worker.h"
#include "leave/accept_lock.h"
#include "os/listener.h"

/* A lock around the waits would be held for as long as nothing comes, while the siblings want it. A
 * profile says that there is none. A server that takes its listeners out and in by itself may do so
 * for such a lock, or because it is full. (nginx puts them back at once, so as to be the last
 * that the kernel wakes.) */
bool draining_is_possible(uint64_t now)
{
	const struct exit_plan *plan = &worker.plan;

	return plan->drains && now > 0 && server.config.drain_timeout > 0 &&
	       now >= worker.course.drains_from && !worker.waits_without &&
	       !listener_blocks(worker.listener) && !worker_may_have_reuseport() &&
	       (plan->method_is_vouched || lock_suspected() == LOCK_NONE);
}

void draining_begin(uint64_t now)
{
	worker.course.phase = DRAINING;
	worker.course.drained_at = now;
	worker.course.turned_away = 0;
	worker.course.awaits_closes = true;
	worker.drains = worker.minds_waits = true;
	server.page->counts.drains++;
}

void draining_go_on(uint64_t now)
{
	worker.course.awaits_closes = worker.open > 0;
	member_goes_on_draining(&worker.member, server.page, now);
}

void draining_give_up(void)
{
	drain_put_back(&worker.drain, worker_shares);
	worker.course.is_muted = false;
	worker.drains = false;
	worker.minds_waits = worker.awaits_handler;
}

void draining_end(uint64_t not_before)
{
	draining_give_up();
	worker.course.phase = SERVING;
	worker.course.drained_at = 0;
	worker.course.drains_from = not_before;
	worker.course.held_since = 0;
	member_end_draining(&worker.member, server.page);
}

/* The wait, or the accept, cannot be kept from its listener. */
static void end_for_good(void)
{
	if (worker.course.phase == DRAINING)
		draining_end(UINT64_MAX);
	else
		draining_give_up();
}

/* ------------------------------------------------------------------------ waits */

bool draining_concerns(const struct wait_set *set)
{
	return set->kind == WAITS_BY_EPOLL ? drain_concerns(&worker.drain, set->epoll, worker_shares)
	                                   : wait_set_has(set, worker_shares);
}

static enum drain_answer leave_out(const struct wait_set *set, uint64_t now)
{
	enum { LASTS_FROM = 1000 };
	/* For so long others have waited to be accepted, so the next one will soon wake a sibling. */
	bool may_strand = now - worker.course.drained_at >= LASTS_FROM;

	if (set->kind == WAITS_BY_EPOLL)
		return drain_take_out(&worker.drain, set->epoll, worker_shares, may_strand);
	return wait_set_is_small(set) ? DRAIN_OUT : DRAIN_IMPOSSIBLE;
}

bool draining_mutes(const struct wait_set *set, uint64_t now)
{
	enum drain_answer answer = leave_out(set, now);

	if (answer == DRAIN_IMPOSSIBLE)
		end_for_good();
	else if (answer == DRAIN_OUT)
		worker.course.is_muted = true;
	return answer == DRAIN_OUT;
}

/* --------------------------------------------------------- accepts and epoll_ctl() */

/* The thread that has the guard is not interrupted, so it will soon let go. */
static void take_guard(struct guard_hold *hold)
{
	while (!guard_take(&worker.guard, hold))
		sched_yield();
}

/* A wait that was not seen goes on telling of the listener: a few such accepts are of threads that
 * waited when the drain began. */
int draining_refuses(int listener)
{
	enum { MOST = 100 };
	struct guard_hold hold;

	if (!worker.course.is_muted || !worker_shares(listener) || listener_blocks(listener))
		return 0;
	if (++worker.course.turned_away <= MOST || worker.course.phase != DRAINING)
		return EAGAIN;
	take_guard(&hold);
	if (worker.course.phase == DRAINING)
		end_for_good();
	guard_release(&worker.guard, &hold);
	return 0;
}

static void note_change(int change, const struct epoll_event *event)
{
	worker.took_out = !drain_makes_ready(change, event);
	worker.minds_waits = worker.drains || worker.took_out || worker.awaits_handler;
}

/* One that the server adds after it has waited without is about to be accepted on. */
static bool controls(int set, int change, int fd, const struct epoll_event *event, int *error)
{
	bool is_back = drain_is_addition(change, event) && worker.course.is_muted;

	if (drain_control(&worker.drain, set, change, fd, event, error))
		return true;
	if (!is_back)
		return false;
	*error = 0;
	if ((worker.took_out || worker.course.phase == LEAVING) &&
	    drain_keep_out(&worker.drain, set, fd, event))
		return true;
	end_for_good();
	return false;
}

bool draining_controls(int set, int change, int fd, const struct epoll_event *event, int *error)
{
	struct guard_hold hold;
	bool is_done = false;

	if (!worker_is_current() || !worker.is_watched || !worker_shares(fd))
		return false;
	if (worker.drains) {
		take_guard(&hold);
		is_done = controls(set, change, fd, event, error);
		guard_release(&worker.guard, &hold);
	}
	note_change(change, event);
	return is_done;
}

void draining_notes_wait(void)
{
	if (!worker_is_current())
		return;
	if (worker.took_out)
		worker.waits_without = true;
	worker.took_out = false;
	worker.minds_waits = worker.drains || worker.awaits_handler;
}
