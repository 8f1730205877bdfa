/* recycle.c - the executor. See recycle.h for the order of things.
 *
 * All that is written here is in `worker`, by the thread that holds its guard; every other one goes
 * on, because a later connection will do. */
#include "core/recycle.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

#include "core/draining.h"
#include "core/exemption.h"
#include "core/facts.h"
#include "core/next_step.h"
#include "core/pool_limit.h"
#include "core/publish.h"
#include "core/report.h"
#include "core/server.h"
#include "core/unseen.h"
#include "leave/leave.h"
#include "limits/policy.h"
#include "os/clock.h"
#include "os/hot.h"
#include "os/listener.h"
#include "os/next.h"
#include "os/process.h"
#include "os/self.h"

void recycle_begin(void)
{
	guard_begin(&worker.guard);
	member_begin(&worker.member, worker.pid, worker.forker, worker.is_grandchild, worker.life.born);
	worker.plan = (struct exit_plan){.whose = ""};
	worker.pacing = (struct pacing){.stride = 0};
	worker.course = (struct course){.phase = SERVING};
	worker.is_watched = server.is_on;
	worker.notes_waits = server.is_on;
	worker.leaves_idle = false;
	worker.drains = false;
	worker.took_out = worker.waits_without = false;
	worker.awaits_handler = worker.minds_waits = false;
	drain_begin_process(&worker.drain);
}

/* A worker that may be one of a pool looks around as long as it sees /proc. */
void recycle_before_chroot(void)
{
	int saved = errno;
	struct guard_hold hold;

	if (worker.forker == 0 || !worker_has_listener() || !guard_take(&worker.guard, &hold))
		return;
	limit_state_keep(&worker.limits);
	member_keep(&worker.member);
	self_keep();
	guard_release(&worker.guard, &hold);
	errno = saved;
}

/* ---------------------------------------------------------------- what is said */

/* Once in a server's life, or at least in a worker's. */
static void report_stay_once(unsigned remark)
{
	uint64_t bit = UINT64_C(1) << remark;
	bool is_first = server.page != NULL ? pool_report_once(server.page, remark)
	                                    : (worker.course.reported & bit) == 0;

	worker.course.reported |= bit;
	if (is_first)
		report_stay(remark, &worker.plan.method);
}

static void watch_no_more(void)
{
	if (worker.drains)
		draining_give_up();
	worker.course.phase = STAYING;
	worker.is_watched = false;
	worker.leaves_idle = false;
	worker.notes_waits = false;
}

static void report_unwatched_once(unsigned remark)
{
	if (server.page != NULL && pool_report_once(server.page, remark))
		report_unwatched(remark);
}

void recycle_unseen(void)
{
	unseen_note_accept();
	report_unwatched_once(REMARK_UNSEEN);
}

/* What passes soon is not worth a line. It is counted from the first time that it was held, because
 * it may have waited for long before it came to a point at all. */
static void report_if_it_lasts(unsigned remark, uint64_t now)
{
	if (worker.course.held_since == 0)
		worker.course.held_since = now;
	if (now - worker.course.held_since > worker.plan.replaced_within)
		report_stay_once(remark);
}

static struct leaving describe(uint64_t now)
{
	const struct limit_state *limits = &worker.limits;

	return (struct leaving){
	    .method = &worker.plan.method,
	    .limit = limits->limit,
	    .sample = limit_state_describe(&worker.limits),
	    .crossed = limits->crossed,
	    .is_asked = (limits->crossed & CROSSED_BY_REQUEST) != 0,
	    .undecided = limits->undecided_for,
	    .drained = worker.course.drained_at != 0 ? now - worker.course.drained_at : 0,
	    .waited = now - limits->since,
	    .served_meanwhile = worker.life.served - limits->served,
	};
}

/* ------------------------------------------------------------- its first accept */

/* A limit that nobody measures must not go unmentioned. */
static void report_unmeasured_once(void)
{
	if (server.page != NULL && limit_state_is_blind(&worker.limits) &&
	    pool_report_once(server.page, REMARK_UNMEASURED))
		report_unmeasured();
}

/* A process that no master forked never leaves. Whether to say so is known only after so many
 * connections that it is a server, and none that forks a child for each of them: a program may
 * accept a few to be controlled by. What listened before execve belongs to who started it, and
 * where others accept, they say why they stay. */
static void on_accept_without_master(void)
{
	enum { MANY = 100 };

	if (worker.course.phase == SERVING) {
		server_report_lacking_parent();
		facts_register_accepting_parent(worker.listener);
		watch_no_more();
		worker.is_watched = worker_made(worker.listener);
	}
	if (!worker.is_watched || worker.uncounted < MANY)
		return;
	worker.is_watched = false;
	if (server.page == NULL || !pool_has_others(server.page, worker.pid))
		server_report_no_master();
}

/* A worker that comes to its first accept has its place in the pool, and fills a vacancy. */
static void on_first_accept(void)
{
	enum worker_ineligibility reason;

	if (!worker.is_started)
		server_announce();
	worker.plan = exit_plan_find(&server.config, worker.is_started);
	worker.notes_waits = !worker.plan.method_is_vouched;
	facts_choose_exit_point();
	reason = facts_find_ineligibility();
	if (!member_sees_siblings(&worker.member)) {
		report_unwatched_once(REMARK_BLIND);
		watch_no_more();
	} else if (reason != WORKER_IS_ELIGIBLE && reason != WORKER_HAS_WORKERS)
		facts_register_accepting_parent(worker.listener);
	else {
		limit_state_begin_serving(&worker.limits);
		report_unmeasured_once();
		if (server.page != NULL && facts_join(&worker.plan, worker.listener, 0))
			exemption_at_birth();
	}
}

/* Another thread that comes to accept meanwhile goes on without it. */
RARE static void on_first_accept_once(void)
{
	int saved = errno;
	struct guard_hold hold;

	if (!guard_take(&worker.guard, &hold))
		return;
	if (!worker.course.has_accepted)
		unseen_note_accept();
	if (worker.forker == 0)
		on_accept_without_master();
	else if (!worker.course.has_accepted) {
		on_first_accept();
		worker.course.has_accepted = true;
	}
	worker.course.has_arrived = true;
	guard_release(&worker.guard, &hold);
	errno = saved;
}

/* -------------------------------------------------------------------- measuring */

/* Other members let the one go first that is furthest over its limits. */
static void want(bool wants)
{
	const struct limit_state *limits = &worker.limits;

	worker.course.wants = wants;
	if (server.page != NULL)
		member_want(&worker.member, server.page,
		            wants ? policy_excess(limits->limit, &limits->sample, limits->crossed) : 0,
		            pool_limit_is_the_only());
}

static void want_no_more(void)
{
	want(false);
	worker.course.held_by = REMARK_NONE;
}

void recycle_note_crossing(void)
{
	worker.course.held_since = 0;
	worker.course.point_came = worker.course.has_rehearsed = false;
}

static void sum_up_dry_run(void)
{
	struct pool_summary summary;

	if (server.page != NULL && pool_take_summary(server.page, process_clock(), &summary))
		report_dry_run(&summary);
}

RARE static void tell_the_page(void)
{
	publish_now(worker.limits.measured_at);
	if (server.config.dry_run)
		sum_up_dry_run();
}

void recycle_measure(void)
{
	worker.unchecked = 0;
	if (worker.limits.limit[QUANTITY_POOL] == 0 ? limit_state_measure(&worker.limits)
	                                            : pool_limit_measure())
		recycle_note_crossing();
	if (worker.course.wants && worker.limits.crossed == 0)
		want_no_more();
	if (publish_is_due())
		tell_the_page();
}

/* Memory is measured at the exit point; where closes go unseen, at accept at the latest. */
static inline bool is_due(enum exit_point point)
{
	return worker.unchecked >= server.config.check_every &&
	       (point == worker.plan.method.point || point == POINT_ACCEPT);
}

/* ------------------------------------------------------------------------ steps */

static struct pool_life life_of(const struct leaving *leaving, uint64_t now)
{
	return (struct pool_life){
	    .crossed = leaving->crossed & ~(unsigned)CROSSED_BY_REQUEST,
	    .is_asked = leaving->is_asked,
	    .waited = leaving->waited,
	    .lived = now - worker.life.born,
	    .served = worker.life.served,
	    .now = now,
	};
}

/* Once for each crossing. */
static void rehearse(uint64_t now)
{
	struct leaving leaving;
	struct pool_life life;

	if (worker.course.has_rehearsed)
		return;
	worker.course.has_rehearsed = true;
	leaving = describe(now);
	report_would_leave(&leaving);
	life = life_of(&leaving, now);
	pool_count_rehearsal(server.page, &life);
}

static void begin_leaving(uint64_t now)
{
	struct leaving leaving = describe(now);
	struct pool_life life = life_of(&leaving, now);
	enum lock lock = worker.plan.lock;

	if (worker.course.phase == DRAINING)
		leaving.open = worker.open;

	exemption_note_leaving();
	if (lock != LOCK_NONE && pool_report_once(server.page, REMARK_LOCK + lock))
		report_lock(lock);
	report_leaving(&leaving);
	worker.course.phase = LEAVING;
	worker.course.left_at = now;
	pool_count_leaving(server.page, &life);
	publish_now(now);
	worker.pacing.rests = 0;
}

/* What held it for as long as that may hold it as long again. Else it was its siblings' end. */
static void resume(unsigned remark, uint64_t now)
{
	enum { A_SECOND = 1000 };
	bool was_held = remark != REMARK_NONE;

	draining_end(now + (was_held ? server.config.drain_timeout : A_SECOND));
	if (was_held)
		report_stay_once(remark);
}

static void carry_out(const struct step *step, uint64_t now)
{
	if (step->kind != STEP_FETCH)
		worker.course.held_by = step->remark;
	switch (step->kind) {
	case STEP_NOT_NOW:
		if (step->remark == REMARK_OPEN)
			worker.course.awaits_closes = true;
		if (step->remark != REMARK_NONE)
			report_if_it_lasts(step->remark, now);
		return;
	case STEP_QUEUE:
		worker.course.held_since = 0;
		if (step->remark != REMARK_NONE)
			report_stay_once(step->remark);
		return;
	case STEP_STAY:
		report_stay_once(step->remark);
		watch_no_more();
		publish_now(now);
		return;
	case STEP_STOP_WANTING:
		want(false);
		return;
	case STEP_REHEARSE:
		rehearse(now);
		return;
	case STEP_DRAIN:
		draining_begin(now);
		return;
	case STEP_DRAIN_ON:
		draining_go_on(now);
		return;
	case STEP_RESUME:
		resume(step->remark, now);
		return;
	case STEP_LEAVE:
		begin_leaving(now);
		return;
	default:
		return;
	}
}

/* From now on "not now" is an answer that is remembered. */
static void begin_asking(void)
{
	worker.course.point_came = true;
	worker.course.awaits_closes = false;
	want(true);
}

/* `begun`: processor time of this thread when it was asked first; 0: now. */
static void decide(enum exit_point point, const struct inquiry *inquiry, uint64_t begun)
{
	struct view view = facts_begin(point, inquiry);
	struct step step;
	bool asks = false;

	while ((step = next_step(&view)).kind == STEP_FETCH) {
		if (step.fact > FACT_HANDLERS_STACK && !asks) {
			asks = true;
			begun = begun != 0 ? begun : clock_thread();
			begin_asking();
		}
		facts_fetch(step.fact, &view, inquiry);
	}
	carry_out(&step, inquiry->now);
	if (asks && worker.course.phase != LEAVING)
		pacing_not_now(&worker.pacing, clock_boot(), clock_thread() - begun);
}

/* ----------------------------------------------------------------- exit points */

/* Then nothing else is in the way, and the next connection may come soon. */
static inline bool has_closed_all(void)
{
	return atomic_load_explicit(&worker.course.awaits_closes, memory_order_relaxed) &&
	       atomic_load_explicit(&worker.open, memory_order_relaxed) == 0;
}

static bool is_time_to_ask(void)
{
	if (!has_closed_all())
		return pacing_is_time(&worker.pacing, clock_boot());
	pacing_ask_now(&worker.pacing);
	return true;
}

/* On a blocking listener a worker is idle before the real accept. */
static bool is_idle_at_accept(void)
{
	return worker.plan.method.point == POINT_IDLE && listener_blocks(worker.listener);
}

/* It was decided that the worker leaves: with the guard gone, because its method may be a handler
 * of the program's. If another handler has not returned before that, the point comes again. */
static void tell_to_leave(enum exit_point point)
{
	if (worker.course.phase != LEAVING || point != worker.plan.method.point ||
	    atomic_exchange(&worker.course.is_told, true))
		return;
	if (worker.plan.handler_is_late)
		worker.awaits_handler = worker.minds_waits = true;
	leave_carry_out(&worker.plan.method);
}

HOT __attribute__((noinline)) static void
consider_slowly(enum exit_point point, const struct wait_set *set, uint64_t begun)
{
	int saved = errno;
	struct guard_hold hold;
	bool is_time;

	if (!guard_take(&worker.guard, &hold))
		return;
	is_time = worker.course.phase != SERVING || worker.limits.crossed == 0 || is_time_to_ask();
	if (worker.course.phase == SERVING && is_time && is_due(point))
		recycle_measure();
	if (point == POINT_ACCEPT && worker.limits.crossed != 0 && is_idle_at_accept())
		point = POINT_IDLE;
	guard_note_blocked(&worker.guard, &hold, point);
	if (is_time && worker.limits.crossed != 0) {
		struct inquiry inquiry = {&hold, set, worker.course.last_has_timeout, process_clock()};

		decide(point, &inquiry, begun);
	}
	guard_release(&worker.guard, &hold);
	tell_to_leave(point);
	errno = saved;
}

/* A worker over a limit: at which point is there something to ask? A wait with nothing open may be
 * the last one for long. */
static inline bool is_to_be_asked(enum exit_point point)
{
	bool rests;

	if (point == POINT_IDLE && atomic_load_explicit(&worker.open, memory_order_relaxed) == 0)
		return point == worker.plan.method.point;
	rests = !has_closed_all() && pacing_rests(&worker.pacing);
	return !rests && (point == worker.plan.method.point || point == POINT_ACCEPT);
}

/* Nearly always there is nothing to do: that costs a few instructions. A worker that is over a
 * limit is measured again when it asks whether it may leave. */
static inline bool is_something_to_do(enum exit_point point)
{
	return worker.limits.crossed != 0 ? is_to_be_asked(point) : is_due(point);
}

static inline void consider(enum exit_point point)
{
	if (is_something_to_do(point))
		consider_slowly(point, NULL, 0);
}

/* After the worker was told to leave, two of its accepts or waits are refused, so that it looks at
 * what its signal handler left. After that accepts go ahead, because it must not turn clients away
 * for long. Where another thread runs the handler, accepts are refused for a time instead. */
__attribute__((noinline)) static bool refuses_still(void)
{
	enum { REFUSALS = 2 };

	return worker.course.refused < REFUSALS ||
	       (worker.plan.refuses_for > 0 &&
	        process_clock() - worker.course.left_at < worker.plan.refuses_for);
}

static inline bool is_to_refuse(void)
{
	if (worker.course.phase != LEAVING || !refuses_still())
		return false;
	worker.course.refused++;
	return true;
}

/* A worker that drains accepts on none of its listeners, limits or not. */
RARE static int before_accept_elsewhere(int listener)
{
	int refusal = worker.drains ? draining_refuses(listener) : 0;

	if (refusal == 0)
		worker_accepts_elsewhere(listener);
	return refusal != 0 ? refusal : RECYCLE_UNCOUNTED;
}

HOT int recycle_before_accept(int listener)
{
	int refusal = 0;

	if (server.config.listens > 0 && !server_watches_listener(listener))
		return before_accept_elsewhere(listener);
	worker_accepts_on(listener);
	if (!worker.course.has_accepted) {
		on_first_accept_once();
		if (worker.forker == 0)
			return RECYCLE_UNCOUNTED;
	}
	if (worker.limits.crossed == 0 && !is_due(POINT_ACCEPT))
		return 0;
	consider(POINT_ACCEPT);
	if (worker.drains)
		refusal = draining_refuses(listener);
	return refusal == 0 && is_to_refuse() ? leave_refusal(listener) : refusal;
}

HOT void recycle_closed(void)
{
	consider(POINT_CLOSE);
}

/* ------------------------------------------------------------------------ waits */

bool recycle_looks_for_listener(void)
{
	enum { LOOKS = 8 };

	/* Once it has arrived, only the set of a second thread is of interest. A wait that comes after
	 * the last look costs a load. */
	if (worker.course.has_arrived && (worker.quiet_set >= 0 || worker_is_thread(&worker.waiter)))
		return false;
	return worker.course.looked < LOOKS && worker.course.looked++ < LOOKS;
}

/* A worker joins when it is ready, because its siblings may be given all connections for long. Some
 * masters wait for a listener and let their workers accept; known masters never accept themselves.
 */
static void arrive(int listener, uint64_t waited_for)
{
	struct exit_plan plan = exit_plan_find(&server.config, worker.is_started);

	if (worker_ineligibility() == WORKER_IS_ELIGIBLE && !worker_made(listener))
		facts_join(&plan, listener, waited_for);
	else if (worker.forker == 0 && plan.is_known && !plan.master_is_vouched)
		facts_register_accepting_parent(listener);
}

RARE void recycle_on_listener_wait(int listener, uint64_t waited_for)
{
	int saved = errno;
	struct guard_hold hold;

	if (!guard_take(&worker.guard, &hold))
		return;
	if (!atomic_exchange(&worker.course.has_arrived, true) && server.page != NULL &&
	    member_sees_siblings(&worker.member) &&
	    (server.config.listens == 0 || server_watches_listener(listener)))
		arrive(listener, waited_for);
	guard_release(&worker.guard, &hold);
	errno = saved;
}

bool recycle_waits_for(int listener, bool has_timeout)
{
	worker_waits();
	if (listener >= 0)
		atomic_store_explicit(&worker.course.last_has_timeout, has_timeout, memory_order_relaxed);
	return listener >= 0 && !worker.course.has_arrived && worker_is_current();
}

/* The cheap facts come first, because it takes a file to find out what is in an epoll set. */
static bool may_leave_at_wait(const struct guard_hold *hold, bool has_timeout)
{
	struct inquiry inquiry = {hold, NULL, has_timeout, process_clock()};
	struct view view = facts_begin(POINT_IDLE, &inquiry);
	struct step step;

	view.known =
	    1u << FACT_TRIM | 1u << FACT_HANDLERS_STACK; /* these are asked when the set is known */
	while ((step = next_step(&view)).kind == STEP_FETCH && step.fact <= FACT_DRAINABLE)
		facts_fetch(step.fact, &view, &inquiry);
	carry_out(&step, inquiry.now);
	return step.kind == STEP_FETCH;
}

/* Measures whatever the set holds. Not 0 where a worker that leaves when idle may do so now, if the
 * set includes the listener: the processor time at which it was asked. `later`: milliseconds after
 * which it is to be asked again within this wait; 0: not. */
static uint64_t judge_before_wait(const struct guard_hold *hold, bool has_timeout, unsigned *later)
{
	uint64_t begun;

	if (worker.course.phase == LEAVING)
		return refuses_still() ? clock_thread() : 0;
	if (worker.course.phase != SERVING)
		return 0;
	if (worker.limits.crossed != 0 && !is_time_to_ask()) {
		*later = has_timeout || worker.open > 0 ? 0 : pacing_rest(&worker.pacing, clock_boot());
		return 0;
	}
	if (is_due(POINT_IDLE))
		recycle_measure();
	if (worker.limits.crossed == 0)
		return 0;
	begin_asking();
	begun = clock_thread();
	if (may_leave_at_wait(hold, has_timeout))
		return begun;
	pacing_not_now(&worker.pacing, clock_boot(), clock_thread() - begun);
	return 0;
}

static uint64_t ask_before_wait(bool has_timeout, unsigned *later)
{
	int saved = errno;
	struct guard_hold hold;
	uint64_t begun;

	*later = 0;
	if (!worker_is_current() || !guard_take(&worker.guard, &hold))
		return 0;
	begun = judge_before_wait(&hold, has_timeout, later);
	guard_release(&worker.guard, &hold);
	errno = saved;
	return begun;
}

HOT bool recycle_is_something_to_ask(void)
{
	return is_something_to_do(POINT_IDLE);
}

/* The errno to end the wait with; 0: it goes on. */
static int idle(const struct wait_set *set, bool has_timeout, uint64_t begun)
{
	worker.course.last_has_timeout = has_timeout;
	consider_slowly(POINT_IDLE, set, begun);
	return is_to_refuse() ? EINTR : 0;
}

/* What it took to find that out counts. */
static void wait_elsewhere(uint64_t begun)
{
	struct guard_hold hold;
	int saved = errno;

	if (!guard_take(&worker.guard, &hold))
		return;
	pacing_not_now(&worker.pacing, clock_boot(), clock_thread() - begun);
	guard_release(&worker.guard, &hold);
	errno = saved;
}

/* Ended by a signal that came during the pause, or by the one that tells the worker to leave. */
bool recycle_ends_wait(const struct wait_set *set, bool has_timeout, bool has_mask)
{
	unsigned later = 0;
	int ready = 1, interruption;
	uint64_t begun = ask_before_wait(has_timeout, &later);

	if (later > 0 && !has_timeout && !has_mask)
		ready = wait_set_pause(set, later);
	if (ready < 0)
		return errno == EINTR;
	if (ready == 0)
		begun = ask_before_wait(has_timeout, &later);
	if (begun == 0)
		return false;
	if (!wait_set_includes(set, worker.listener)) {
		wait_elsewhere(begun);
		return false;
	}
	interruption = idle(set, has_timeout, begun);
	if (interruption != 0)
		errno = interruption;
	return interruption != 0;
}

bool recycle_awaits_handler(const struct wait_set *set)
{
	enum { LONG_ENOUGH = 100 };

	if (!worker_is_current() || !wait_set_includes(set, worker.listener))
		return false;
	worker.awaits_handler = false;
	next.poll(NULL, 0, LONG_ENOUGH); /* or until a signal says that it is to run */
	return true;
}

/* ---------------------------------------------------------------- drained waits */

/* A wait that leaves the listeners out is an exit point, because the others may not come. What an
 * overdue worker has open when it leaves may take its time. */
static void ask_drained(const struct inquiry *inquiry)
{
	enum exit_point point = worker.plan.method.point;

	if (worker.course.phase == DRAINING) {
		guard_note_blocked(&worker.guard, inquiry->hold, point);
		decide(point, inquiry, 0);
	} else if (worker.course.phase == LEAVING && worker.open == 0) {
		decide(POINT_IDLE, inquiry, 0);
	}
}

/* Whether a sibling accepts is asked before the listeners are left out, and whether to leave once
 * they are. */
static bool mute(const struct wait_set *set, const struct guard_hold *hold, bool has_timeout)
{
	struct inquiry inquiry = {hold, set, has_timeout, process_clock()};
	bool was_muted = worker.course.is_muted;

	if (!draining_concerns(set))
		return false;
	if (!was_muted || worker.course.phase == LEAVING || is_time_to_ask())
		ask_drained(&inquiry);
	if (!worker.drains || !draining_mutes(set, inquiry.now))
		return false;
	if (!was_muted)
		ask_drained(&inquiry);
	return worker.drains;
}

enum recycle_wait recycle_before_drained_wait(const struct wait_set *set, bool has_timeout)
{
	int saved = errno;
	struct guard_hold hold;
	enum recycle_wait answer;

	if (!worker_is_current() || !guard_take(&worker.guard, &hold))
		return WAIT_AS_IT_IS;
	answer = mute(set, &hold, has_timeout) ? WAIT_MUTED : WAIT_AS_IT_IS;
	guard_release(&worker.guard, &hold);
	tell_to_leave(worker.plan.method.point);
	errno = saved;
	return answer == WAIT_MUTED && is_to_refuse() ? WAIT_OVER : answer;
}
