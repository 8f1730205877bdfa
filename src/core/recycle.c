/* recycle.c - the conductor. See recycle.h for the order of things.
 *
 * `self` belongs to one worker. The thread that holds the guard may change it; every other one goes
 * by, because a later connection will do. */
#include "core/recycle.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "core/exemption.h"
#include "core/report.h"
#include "core/server.h"
#include "core/worker.h"
#include "leave/accept_lock.h"
#include "leave/idle.h"
#include "leave/leave.h"
#include "limits/limit_state.h"
#include "limits/policy.h"
#include "os/clock.h"
#include "os/hot.h"
#include "os/listener.h"
#include "os/next.h"
#include "os/process.h"
#include "os/socket_address.h"
#include "pool/member.h"
#include "pool/pool.h"

_Atomic bool recycle_watches, recycle_leaves_idle, recycle_notes_waits;

enum phase { SERVING, LEAVING, STAYING };
enum { POINTS = POINT_IDLE + 1 };

static struct {
	atomic_flag busy;                   /* a thread holds the guard */
	struct signal_mask blocked[POINTS]; /* the signals that were blocked whenever it came */
	_Atomic bool entered;               /* has come to its first accept */
	_Atomic bool arrived;               /* has come to that, or to wait for a listener */
	_Atomic unsigned looked;            /* for one that it waits for */
	_Atomic enum phase phase;
	struct exit_plan plan;
	enum lock lock;         /* the suspicion that made its moment the close */
	bool point_came;        /* since a limit is crossed */
	uint64_t blocked_at;    /* since when, without a break */
	bool wants;             /* its turn, since then */
	bool reported_dry_run;  /* in a dry run, since then */
	_Atomic bool is_told;   /* its way was carried out */
	uint64_t left_at;       /* when it was decided */
	uint64_t asks_from;     /* boot clock, nanoseconds: not asked before whether it may leave */
	unsigned stride;        /* so many moments go by from one look at that clock to the next, ... */
	_Atomic unsigned rests; /* ... of which these are left */
	_Atomic bool awaits_closes;    /* it was not now because a connection was open */
	unsigned refused;              /* accepts, since it left */
	_Atomic bool last_has_timeout; /* the last wait seen that includes a listener */
	uint64_t reported;             /* remarks, where there is no page to keep them */
} self = {.busy = ATOMIC_FLAG_INIT, .phase = SERVING};

/* ------------------------------------------------------------------- guard */

/* Of the thread that holds the guard. It is not cancelled meanwhile, and signals wait, because a
 * cancellation, or a handler that does not return, would leave the worker half judged for good. */
struct guard {
	struct signal_mask mask; /* that it had */
	int cancellation;
};

HOT static void let_through(const struct guard *guard)
{
	int ignored;

	process_set_mask(&guard->mask);
	pthread_setcancelstate(guard->cancellation, &ignored);
}

/* False where another thread holds it. */
HOT static bool begin(struct guard *guard)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard->cancellation);
	guard->mask = process_hold_signals();
	if (!atomic_flag_test_and_set(&self.busy))
		return true;
	let_through(guard);
	return false;
}

HOT static void end(const struct guard *guard)
{
	atomic_flag_clear(&self.busy);
	let_through(guard);
}

static void note_blocked(const struct guard *guard, enum exit_point point)
{
	for (size_t i = 0; i < SIGNAL_WORDS; i++)
		self.blocked[point].words[i] &= guard->mask.words[i];
}

/* On a stack that a handler has for itself there is little room, and none for another handler. */
static bool is_on_handlers_stack(void)
{
	stack_t stack;

	return sigaltstack(NULL, &stack) != 0 || (stack.ss_flags & SS_ONSTACK) != 0;
}

/* A handler has its signal blocked, which is not blocked each time that this moment comes. What it
 * has interrupted may hold a lock of the C library. */
static bool is_in_handler(const struct guard *guard, enum exit_point point)
{
	for (size_t i = 0; i < SIGNAL_WORDS; i++)
		if (guard->mask.words[i] & ~self.blocked[point].words[i])
			return true;
	return is_on_handlers_stack();
}

/* -------------------------------------------------------------------- birth */

static void begin_watch(void)
{
	member_begin();
	exemption_begin();
	atomic_flag_clear(&self.busy);
	memset(self.blocked, 0xff, sizeof self.blocked);
	self.entered = false;
	self.arrived = false;
	self.last_has_timeout = false;
	self.looked = 0;
	self.phase = SERVING;
	self.reported_dry_run = self.wants = false;
	self.is_told = false;
	self.asks_from = 0;
	self.stride = 0;
	self.rests = 0;
	self.awaits_closes = false;
	self.refused = 0;
	self.reported = 0;
	recycle_watches = server.is_on;
	recycle_notes_waits = server.is_on;
	recycle_leaves_idle = false;
}

/* A thread of this process reads what was set. */
static _Atomic bool wakes;

/* A child of a process that accepts is its helper, not a worker. */
static void begin_life(void)
{
	bool may_serve = worker.listeners > 0 && worker.listener < 0;

	worker_born(server.is_on || server_is_asleep ? process_clock() : 0);
	lock_born();
	if (server_is_asleep)
		wakes = false; /* a thread that was about to is its parent's */
	if (!server.is_on)
		return;
	limit_state_begin(may_serve);
	begin_watch();
}

static bool wake(bool at_start)
{
	bool has_business = server_wake(at_start);

	if (has_business) {
		next_resolve();
		limit_state_begin(false);
		begin_watch();
	}
	server_is_asleep = false;
	return has_business;
}

/* Unless it is what the caller has interrupted. */
static void wait_until_awake(void)
{
	enum { TRIES = 1000 };

	for (int i = 0; i < TRIES && server_is_asleep; i++)
		sched_yield();
}

__attribute__((cold, noinline)) bool recycle_wakes(void)
{
	int saved = errno;

	if (worker_is_current() && server_is_asleep) {
		if (!atomic_exchange(&wakes, true))
			wake(false);
		else
			wait_until_awake();
	}
	errno = saved;
	return server.is_on;
}

/* A program that has inherited a listener may fork workers. */
static void before_fork(void)
{
	if (server_is_asleep && server_has_listener())
		recycle_wakes();
	server_before_fork();
}

void recycle_start(char *const environment[], char *const words[])
{
	if (!server_start(environment, words))
		return;
	if (server_cannot_wait() && !wake(true))
		return;
	if (pthread_atfork(before_fork, NULL, begin_life) != 0) {
		server_is_asleep = false;
		server.is_on = false;
	}
}

/* Once in a server's life, or at least in a worker's. */
static void report_stay_once(unsigned remark)
{
	uint64_t bit = UINT64_C(1) << remark;

	if (server.page != NULL ? pool_report_once(server.page, remark) : (self.reported & bit) == 0)
		report_stay(remark, &self.plan.method);
	self.reported |= bit;
}

static void watch_no_more(void)
{
	self.phase = STAYING;
	recycle_watches = false;
	recycle_leaves_idle = false;
	recycle_notes_waits = false;
}

static void stay(unsigned remark)
{
	report_stay_once(remark);
	watch_no_more();
}

static void say_unwatched(unsigned remark)
{
	if (server.page != NULL && pool_report_once(server.page, remark))
		report_unwatched(remark);
}

static void go_unwatched(void)
{
	say_unwatched(REMARK_BLIND);
	watch_no_more();
}

/* What will pass is worth a line only where it does not. */
static void stay_for_now(unsigned remark, uint64_t now)
{
	if (now - self.blocked_at > self.plan.replaced_within)
		report_stay_once(remark);
}

/* Where nobody says when to leave: not while a lock may be held that would stay locked. Asked
 * again before each leaving, since a lock may be made late. */
static void choose_point(void)
{
	if (self.plan.is_default) {
		self.lock = lock_suspected();
		self.plan.method.point = self.lock == LOCK_NONE ? POINT_IDLE : POINT_CLOSE;
	}
	recycle_leaves_idle = self.plan.method.point == POINT_IDLE;
}

static bool is_unix(int listener)
{
	struct socket_address address;

	return socket_address_find(listener, &address) && address.family == AF_UNIX;
}

/* A handover of waiting connections is nearly always clean, and so only for who asks for it. */
static enum worker_ineligibility find_ineligibility(void)
{
	enum worker_ineligibility reason = worker_ineligibility();

	if (reason == WORKER_IS_ELIGIBLE && self.plan.is_tcp_only && is_unix(worker.listener))
		return WORKER_OF_MODULE;
	if (reason == WORKER_OWN_LISTENER && !self.plan.is_default && worker_has_reuseport_peers())
		return WORKER_IS_ELIGIBLE;
	if (reason == WORKER_IS_ELIGIBLE && server.page != NULL && member_has_accepting_parent())
		return WORKER_BESIDE_PARENT;
	if (reason == WORKER_IS_ELIGIBLE && server.page != NULL && member_has_workers())
		return WORKER_HAS_WORKERS;
	return reason;
}

/* Whoever accepts without being a worker is no master either. */
static void register_accepting_parent(void)
{
	if (server.page != NULL)
		member_register_accepting_parent(worker.listener);
}

/* A worker that comes to its first accept has its place in the pool, and fills a vacancy. */
static void on_first_accept(void)
{
	enum worker_ineligibility reason;

	if (worker.forker == 0) {
		server_report_lacking_parent();
		register_accepting_parent();
		watch_no_more();
		return;
	}
	if (!worker.is_started)
		server_announce();
	self.plan = server_exit_plan();
	recycle_notes_waits = !self.plan.method_is_vouched;
	choose_point();
	reason = find_ineligibility();
	if (!member_sees_siblings())
		go_unwatched();
	else if (reason != WORKER_IS_ELIGIBLE && reason != WORKER_HAS_WORKERS)
		register_accepting_parent();
	else if (server.page != NULL && member_join(&self.plan, worker.listener, 0))
		exemption_at_birth();
}

/* Another thread that comes to accept meanwhile goes by. */
__attribute__((cold, noinline)) static void on_first_accept_once(void)
{
	int saved = errno;
	struct guard guard;

	if (!begin(&guard))
		return;
	if (!self.entered) {
		on_first_accept();
		self.entered = true;
		self.arrived = true;
	}
	end(&guard);
	errno = saved;
}

static void begin_crossing(void)
{
	self.blocked_at = limit_state.since;
	self.point_came = self.reported_dry_run = false;
}

static void sum_up_dry_run(void)
{
	struct pool_summary summary;

	if (server.page != NULL && pool_sum_up(server.page, process_clock(), &summary))
		report_dry_run(&summary);
}

/* Others let it go first, as far as it is over its limits. */
static void want(bool wants)
{
	self.wants = wants;
	if (server.page != NULL)
		member_want(
		    wants ? policy_excess(limit_state.limit, &limit_state.sample, limit_state.crossed) : 0);
}

static void measure(void)
{
	if (limit_state_measure())
		begin_crossing();
	if (self.wants && limit_state.crossed == 0)
		want(false);
	if (server.config.dry_run)
		sum_up_dry_run();
}

/* Its siblings may have yet to come to accept: until then it looks as if it were alone. */
static bool may_go(enum pool_answer answer, uint64_t now)
{
	if (answer == POOL_ALONE)
		stay_for_now(REMARK_ALONE, now);
	else if (answer != POOL_GO)
		self.blocked_at = now;
	if (answer == POOL_UNFILLED)
		report_stay_once(REMARK_UNFILLED);
	return answer == POOL_GO;
}

static struct leaving describe(uint64_t now)
{
	return (struct leaving){
	    .method = &self.plan.method,
	    .limit = limit_state.limit,
	    .sample = limit_state_describe(),
	    .crossed = limit_state.crossed,
	    .is_asked = (limit_state.crossed & CROSSED_BY_REQUEST) != 0,
	    .undecided = limit_state.undecided_for,
	    .waited = now - limit_state.since,
	    .served_meanwhile = worker.served - limit_state.served,
	};
}

/* Whoever leaves by default must have nothing left to do. The set of its wait is looked at last: a
 * thread that is asleep by now may have woken its waiter before. */
static enum idle find_left(const struct recycle_wait *wait)
{
	enum idle left = idle_find_left();

	if (left == IDLE_NOTHING_LEFT && wait != NULL && wait->is_ready(wait, worker.listener))
		left = IDLE_READY;
	return left;
}

static bool is_left(enum idle left, uint64_t now)
{
	if (left != IDLE_NOTHING_LEFT)
		stay_for_now(REMARK_IDLE + left, now);
	return left != IDLE_NOTHING_LEFT;
}

/* Is it a worker that another one would replace, and that has a way out? Else it stays for good. */
static bool is_eligible(void)
{
	enum worker_ineligibility reason = find_ineligibility();

	if (self.plan.method.action == ACTION_NONE) {
		stay(REMARK_BLOCKER + BLOCKER_FORBIDDEN);
		return false;
	}
	if (reason != WORKER_IS_ELIGIBLE)
		stay(REMARK_INELIGIBLE + reason);
	return reason == WORKER_IS_ELIGIBLE;
}

/* Would it cut off a connection? */
static bool is_held_open(uint64_t now)
{
	if (self.plan.takes_time || !worker_has_connections())
		return false;
	self.awaits_closes = true;
	stay_for_now(REMARK_OPEN, now);
	return true;
}

static bool is_scheduled(bool has_timeout, uint64_t now)
{
	return self.plan.is_default && has_timeout && is_left(IDLE_SCHEDULED, now);
}

/* Is there a reason, in the process itself, to stay for now? A backlog is one unless it is always
 * there: then there will soon be another connection to wake the siblings. */
static bool has_to_stay(const struct signal_mask *mask, const struct recycle_wait *wait,
                        uint64_t now)
{
	enum { BACKLOG_IS_LASTING = 1000 };
	enum blocker blocker;

	if (worker.is_started && process_has_children()) {
		stay_for_now(REMARK_STARTED_CHILDREN, now);
		return true;
	}
	if (is_held_open(now) || is_scheduled(self.last_has_timeout, now))
		return true;
	if (self.plan.method.point == POINT_CLOSE && exit_method_exits(&self.plan.method) &&
	    now - limit_state.since < BACKLOG_IS_LASTING && leave_has_backlog(worker.listener))
		return true; /* asked again below, when all else was */
	blocker = leave_find_blocker(&self.plan.method, self.plan.method_is_vouched, mask,
	                             worker.many_accept, worker.listener);
	if (blocker == BLOCKER_BACKLOG && now - limit_state.since < BACKLOG_IS_LASTING)
		return true;
	if (blocker == BLOCKER_NONE || blocker == BLOCKER_BACKLOG)
		return self.plan.is_default && is_left(find_left(wait), now);
	if (leave_is_blocked_for_good(blocker))
		stay(REMARK_BLOCKER + blocker);
	else
		stay_for_now(REMARK_BLOCKER + blocker, now);
	return true;
}

/* False if it has to stay, now or for good. */
static bool may_leave(enum exit_point point, const struct signal_mask *mask,
                      const struct recycle_wait *wait, uint64_t now)
{
	if (has_to_stay(mask, wait, now))
		return false;
	if (server.page == NULL) {
		stay(REMARK_NO_PAGE);
		return false;
	}
	if (!member_join(&self.plan, worker.listener, 0)) {
		stay_for_now(REMARK_NO_SLOT, now);
		return false;
	}
	choose_point();
	return point == self.plan.method.point;
}

/* Once for each crossing. */
static void note_dry_run(uint64_t now)
{
	struct leaving leaving;

	if (self.reported_dry_run)
		return;
	self.reported_dry_run = true;
	leaving = describe(now);
	report_would_leave(&leaving);
	pool_note_dry_run(server.page, worker.served, now - worker.born);
}

static void begin_leaving(uint64_t now)
{
	struct leaving leaving = describe(now);

	if (self.lock != LOCK_NONE && pool_report_once(server.page, REMARK_LOCK + self.lock))
		report_lock(self.lock);
	report_leaving(&leaving);
	self.phase = LEAVING;
	self.left_at = now;
	self.rests = 0;
}

/* What costs more is asked later. */
static void ask_to_leave(enum exit_point point, const struct guard *guard,
                         const struct recycle_wait *wait, uint64_t now)
{
	if (!is_eligible() || !may_go(member_look(&self.plan, now), now))
		return;
	if (exit_method_exits(&self.plan.method) && is_in_handler(guard, point))
		return;
	if (!may_leave(point, &guard->mask, wait, now) || !limit_state_is_crossed_still())
		return;
	if (server.config.dry_run) {
		note_dry_run(now);
		return;
	}
	if (exemption_of_early() || !may_go(member_ask(&self.plan, now), now))
		return;
	exemption_note_leaving();
	begin_leaving(now);
}

/* It waits for nothing else, and may not be without a connection again for long. */
static inline bool has_closed_all(void)
{
	return atomic_load_explicit(&self.awaits_closes, memory_order_relaxed) &&
	       atomic_load_explicit(&worker.open, memory_order_relaxed) == 0;
}

/* A moment that comes again and again before its time is not worth a look at the clock each time;
 * one that comes seldom is. */
static bool is_time_to_ask(void)
{
	enum { LONGEST_STRIDE = 15 };

	if (has_closed_all() || clock_boot() >= self.asks_from) {
		self.stride = 0;
		return true;
	}
	if (self.stride < LONGEST_STRIDE)
		self.stride = 2 * self.stride + 1;
	self.rests = self.stride;
	return false;
}

static void begin_asking(void)
{
	self.point_came = true;
	want(true);
	self.awaits_closes = false;
}

/* The answer was "not now": the question is not asked again before a hundred times as long as it
 * took has passed, so that a worker that has to wait is no slower than one that need not leave.
 * `begun`: processor time of this thread when it was asked. */
static void end_asking(uint64_t begun)
{
	enum { SHARE = 100 };

	self.asks_from = clock_boot() + (clock_thread() - begun) * SHARE;
}

static void try_to_leave(enum exit_point point, const struct guard *guard,
                         const struct recycle_wait *wait)
{
	uint64_t begun;

	if (is_on_handlers_stack())
		return;
	begin_asking();
	begun = wait != NULL ? wait->begun : clock_thread();
	ask_to_leave(point, guard, wait, process_clock());
	if (self.phase != LEAVING)
		end_asking(begun);
}

/* Memory is measured at the moment at which the worker would leave; where closes go unseen, at
 * accept at the latest. */
static bool is_due(enum exit_point point)
{
	return worker.unchecked >= server.config.check_every &&
	       (point == self.plan.method.point || point == POINT_ACCEPT);
}

/* On a blocking listener a worker is idle before the real accept. */
static bool is_idle_at_accept(void)
{
	return self.plan.method.point == POINT_IDLE && listener_blocks(worker.listener);
}

/* A worker that has left and is still here. What is open may take its time. */
static void see_to_leaver(enum exit_point point)
{
	if (point != POINT_CLOSE && process_clock() - self.left_at > self.plan.replaced_within)
		stay(REMARK_NOT_GONE);
}

static void judge(enum exit_point point, const struct guard *guard, const struct recycle_wait *wait)
{
	if (limit_state.crossed == 0)
		return;
	if (server.config.trim &&
	    exemption_by_trim(point != POINT_CLOSE && !is_in_handler(guard, point)))
		want(false);
	else if (point == self.plan.method.point)
		try_to_leave(point, guard, wait);
	else if (point == POINT_ACCEPT && !self.point_came)
		stay_for_now(REMARK_NO_POINT, process_clock());
}

/* It was decided that the worker leaves: with the guard gone, because its way may be a handler of
 * the program's. Should another handler not have returned before that, the moment comes again. */
static void tell_to_leave(enum exit_point point)
{
	if (self.phase == LEAVING && point == self.plan.method.point &&
	    !atomic_exchange(&self.is_told, true))
		leave_carry_out(&self.plan.method);
}

/* `wait`: what is about to begin; NULL at an accept or a close. */
HOT __attribute__((noinline)) static void consider_slowly(enum exit_point point,
                                                          const struct recycle_wait *wait)
{
	int saved = errno;
	struct guard guard;
	bool is_time;

	if (!begin(&guard))
		return;
	is_time = self.phase == SERVING && (limit_state.crossed == 0 || is_time_to_ask());
	if (is_time && is_due(point))
		measure();
	if (point == POINT_ACCEPT && limit_state.crossed != 0 && is_idle_at_accept())
		point = POINT_IDLE;
	note_blocked(&guard, point);
	if (is_time)
		judge(point, &guard, wait);
	else if (self.phase == LEAVING && self.is_told)
		see_to_leaver(point);
	end(&guard);
	tell_to_leave(point);
	errno = saved;
}

/* A worker over a limit: at which moment is there something to ask? Two threads may count the same
 * rest; then it is one longer. A wait with nothing open may be the last one for long. */
static inline bool is_to_be_asked(enum exit_point point)
{
	unsigned rests = atomic_load_explicit(&self.rests, memory_order_relaxed);

	if (point == POINT_IDLE && atomic_load_explicit(&worker.open, memory_order_relaxed) == 0)
		return point == self.plan.method.point;
	if (rests > 0 && !has_closed_all())
		atomic_store_explicit(&self.rests, rests - 1, memory_order_relaxed);
	return (rests == 0 || has_closed_all()) &&
	       (point == self.plan.method.point || point == POINT_ACCEPT);
}

/* Nearly always there is nothing to do: that costs a few instructions. A worker that is over a
 * limit is measured again when it asks whether it may leave. */
static inline bool is_something_to_do(enum exit_point point)
{
	return limit_state.crossed != 0 ? is_to_be_asked(point) : is_due(point);
}

static inline void consider(enum exit_point point)
{
	if (is_something_to_do(point))
		consider_slowly(point, NULL);
}

/* After it was asked a worker is told twice that there is nothing to accept or to wait for, so that
 * it looks at what its handler left; then all goes ahead again: it must not turn clients away for
 * long. Where another thread runs the handler, only time tells. */
__attribute__((noinline)) static bool refuses_still(void)
{
	enum { REFUSALS = 2 };

	return self.refused < REFUSALS ||
	       (self.plan.refuses_for > 0 && process_clock() - self.left_at < self.plan.refuses_for);
}

static inline bool is_to_refuse(void)
{
	if (self.phase != LEAVING || !refuses_still())
		return false;
	self.refused++;
	return true;
}

void recycle_unseen(void)
{
	say_unwatched(REMARK_UNSEEN);
}

/* Apart from the quick way through recycle_before_accept. */
__attribute__((noinline)) static bool is_listener_watched(int listener)
{
	struct socket_address address;

	return socket_address_find(listener, &address) && config_watches(&server.config, &address);
}

bool recycle_looks_for_listener(void)
{
	enum { LOOKS = 8 };

	return !self.arrived && self.looked++ < LOOKS;
}

/* Its siblings may be given all connections for long: what counts is that it is ready. Some masters
 * wait for a listener and let others accept: not those that are known to be workers, too, where
 * they do. */
static void on_listener_wait(int listener, uint64_t waited_for)
{
	struct exit_plan plan = server_exit_plan();

	if (worker_ineligibility() == WORKER_IS_ELIGIBLE && !worker_made(listener))
		member_join(&plan, listener, waited_for);
	else if (worker.forker == 0 && plan.is_known && !plan.master_is_vouched)
		member_register_accepting_parent(listener);
}

__attribute__((cold, noinline)) void recycle_on_listener_wait(int listener, uint64_t waited_for)
{
	int saved = errno;
	struct guard guard;

	if (!begin(&guard))
		return;
	if (!atomic_exchange(&self.arrived, true) && server.page != NULL && member_sees_siblings() &&
	    (server.config.listens == 0 || is_listener_watched(listener)))
		on_listener_wait(listener, waited_for);
	end(&guard);
	errno = saved;
}

bool recycle_waits_for(int listener, bool has_timeout)
{
	worker_waits();
	if (listener >= 0)
		atomic_store_explicit(&self.last_has_timeout, has_timeout, memory_order_relaxed);
	return listener >= 0 && !self.arrived && worker_is_current();
}

HOT int recycle_before_accept(int listener)
{
	if (server.config.listens > 0 && !is_listener_watched(listener)) {
		worker_accepts_elsewhere(listener);
		return RECYCLE_UNCOUNTED;
	}
	worker_accepts_on(listener);
	if (!self.entered)
		on_first_accept_once();
	consider(POINT_ACCEPT);
	return is_to_refuse() ? leave_refusal(listener) : 0;
}

HOT void recycle_closed(void)
{
	consider(POINT_CLOSE);
}

/* What is cheap is asked first: to find out what is in a set of epoll is not. */
static bool may_leave_at_wait(bool has_timeout, uint64_t now)
{
	return is_eligible() && may_go(member_look(&self.plan, now), now) &&
	       !is_scheduled(has_timeout, now) && !is_held_open(now);
}

/* Milliseconds, at least 1, until it is time to ask. */
static unsigned find_rest(void)
{
	const uint64_t a_millisecond = 1000000, longest = 60000;
	uint64_t now = clock_boot();
	uint64_t rest = self.asks_from > now ? (self.asks_from - now) / a_millisecond : 0;

	return (unsigned)((rest < longest ? rest : longest) + 1);
}

/* Measures whatever the set holds. The answer is that of recycle_before_wait(). */
static uint64_t judge_before_wait(bool has_timeout, unsigned *later)
{
	uint64_t begun;

	if (self.phase == LEAVING)
		return refuses_still() ? clock_thread() : 0;
	if (self.phase != SERVING)
		return 0;
	if (limit_state.crossed != 0 && !is_time_to_ask()) {
		*later = has_timeout || worker.open > 0 ? 0 : find_rest();
		return 0;
	}
	if (is_due(POINT_IDLE))
		measure();
	if (limit_state.crossed == 0)
		return 0;
	begin_asking();
	begun = clock_thread();
	if (may_leave_at_wait(has_timeout, process_clock()))
		return begun;
	end_asking(begun);
	return 0;
}

uint64_t recycle_before_wait(bool has_timeout, unsigned *later)
{
	int saved = errno;
	struct guard guard;
	uint64_t begun;

	*later = 0;
	if (!worker_is_current() || !begin(&guard))
		return 0;
	begun = judge_before_wait(has_timeout, later);
	end(&guard);
	errno = saved;
	return begun;
}

HOT bool recycle_is_something_to_ask(void)
{
	return is_something_to_do(POINT_IDLE);
}

int recycle_listener(void)
{
	return worker.listener;
}

int recycle_idle(const struct recycle_wait *wait)
{
	self.last_has_timeout = wait->has_timeout;
	consider_slowly(POINT_IDLE, wait);
	return is_to_refuse() ? EINTR : 0;
}

void recycle_waits_elsewhere(uint64_t begun)
{
	struct guard guard;
	int saved = errno;

	if (!begin(&guard))
		return;
	end_asking(begun);
	end(&guard);
	errno = saved;
}

/* ------------------------------------------------------------- application */

/* A thread that judges does not take long, unless it is what called. */
static bool begin_patiently(struct guard *guard)
{
	enum { TRIES = 100 };

	for (int i = 0; i < TRIES; i++) {
		if (begin(guard))
			return true;
		sched_yield();
	}
	return false;
}

static int end_with(const struct guard *guard, int answer)
{
	end(guard);
	return answer;
}

/* At the next moment at which it could leave. */
static void make_due(void)
{
	worker.unchecked = server.config.check_every;
}

int recycle_limit(enum quantity quantity, uint64_t limit)
{
	struct guard guard;

	if (!begin_patiently(&guard))
		return EBUSY;
	server_limit(quantity, limit);
	limit_state_set(quantity, limit);
	return end_with(&guard, 0);
}

int recycle_limit_request(enum quantity quantity, uint64_t limit)
{
	struct guard guard;

	if (!begin_patiently(&guard))
		return EBUSY;
	limit_state_set_for_request(quantity, limit);
	make_due();
	return end_with(&guard, 0);
}

int recycle_check(void)
{
	make_due();
	return 0;
}

int recycle_worker(void)
{
	struct guard guard;

	if (!begin_patiently(&guard))
		return EBUSY;
	if (limit_state_ask_to_leave())
		begin_crossing();
	return end_with(&guard, 0);
}

/* Who goes by here while another measures is measured by that one. */
int recycle_request_done(void)
{
	struct guard guard;

	worker_request_done();
	if (worker.unchecked < server.config.check_every || !begin(&guard))
		return 0;
	if (self.phase == SERVING)
		measure();
	return end_with(&guard, 0);
}

int recycle_measure(enum quantity quantity, uint64_t *value)
{
	struct guard guard;
	bool is_known;

	if (!begin_patiently(&guard))
		return EBUSY;
	is_known = limit_state_tell(quantity, value);
	return end_with(&guard, is_known ? 0 : ENODATA);
}
