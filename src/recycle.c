/* recycle.c - the conductor. See recycle.h for the order of things.
 *
 * `self` belongs to one worker. Whoever sets `busy` may change it; everybody else (another
 * thread, a signal handler that closes a connection) goes by: a later connection will do. */
#include "recycle.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>

#include "hot.h"
#include "leave.h"
#include "listener.h"
#include "lock.h"
#include "place.h"
#include "policy.h"
#include "pool.h"
#include "process.h"
#include "real.h"
#include "report.h"
#include "server.h"
#include "spare.h"
#include "turn.h"
#include "verdict.h"
#include "worker.h"

_Atomic bool recycle_watches, recycle_leaves_idle, recycle_notes_waits;

enum phase { SERVING, LEAVING, STAYING };

static struct {
	atomic_flag busy;
	bool entered;            /* has come to its first accept */
	_Atomic bool arrived;    /* has come to that, or to wait for a listener */
	_Atomic unsigned looked; /* for one that it waits for */
	enum phase phase;
	struct departure departure;
	enum lock lock;        /* the suspicion that made its moment the close */
	bool moment_came;      /* since a limit is crossed */
	uint64_t hindered_at;  /* since when, without a break */
	bool wants;            /* its turn, since then */
	bool said_would_leave; /* in a dry run, since then */
	uint64_t left_at;
	unsigned refused; /* accepts, since then */
	uint64_t said;    /* remarks, where there is no page to keep them */
} self = {.busy = ATOMIC_FLAG_INIT, .phase = SERVING};

static void begin_watch(void)
{
	turn_begin();
	spare_begin();
	atomic_flag_clear(&self.busy);
	self.entered = self.arrived = false;
	self.looked = 0;
	self.phase = SERVING;
	self.said_would_leave = self.wants = false;
	self.refused = 0;
	self.said = 0;
	recycle_watches = recycle_notes_waits = server.is_on;
	recycle_leaves_idle = false;
}

/* A child of a process that accepts is its helper, not a worker. */
static void begin_life(void)
{
	bool may_serve = worker.listeners > 0 && worker.listener < 0;

	worker_born(process_clock());
	verdict_begin(server.is_on && may_serve);
	begin_watch();
}

void recycle_start(char *const environment[])
{
	if (!server_start(environment))
		return;
	real_resolve();
	if (pthread_atfork(server_before_fork, NULL, begin_life) != 0)
		server.is_on = false;
	verdict_begin(false);
	begin_watch();
}

/* Once in a server's life, or at least in a worker's. */
static void say_stay(unsigned remark)
{
	uint64_t bit = UINT64_C(1) << remark;

	if (server.page != NULL ? pool_say_once(server.page, remark) : (self.said & bit) == 0)
		report_stay(remark, &self.departure.way);
	self.said |= bit;
}

static void watch_no_more(void)
{
	self.phase = STAYING;
	recycle_watches = recycle_leaves_idle = recycle_notes_waits = false;
}

static void stay(unsigned remark)
{
	say_stay(remark);
	watch_no_more();
}

static void go_unwatched(void)
{
	if (server.page != NULL && pool_say_once(server.page, REMARK_BLIND))
		report_unwatched(REMARK_BLIND);
	watch_no_more();
}

/* What will pass is worth a line only where it does not. */
static void stay_for_now(unsigned remark, uint64_t now)
{
	if (now - self.hindered_at > self.departure.replaced_within)
		say_stay(remark);
}

/* Where nobody says when to leave: not while a lock may be held that would stay locked. Asked
 * again before each leaving, since a lock may be made late. */
static void choose_moment(void)
{
	if (self.departure.is_default) {
		self.lock = lock_suspected();
		self.departure.way.moment = self.lock == LOCK_NONE ? MOMENT_IDLE : MOMENT_CLOSE;
	}
	recycle_leaves_idle = self.departure.way.moment == MOMENT_IDLE;
}

static bool is_unix(int listener)
{
	struct place place;

	return place_find(listener, &place) && place.family == AF_UNIX;
}

/* A handover of waiting connections is nearly always clean, and so only for who asks for it. */
static enum worker_place find_place(void)
{
	enum worker_place place = worker_place();

	if (place == WORKER_FITS && self.departure.is_tcp_only && is_unix(worker.listener))
		return WORKER_OF_MODULE;
	if (place == WORKER_OWN_LISTENER && !self.departure.is_default && worker_has_heirs())
		return WORKER_FITS;
	if (place == WORKER_FITS && server.page != NULL && turn_is_beside_parent())
		return WORKER_BESIDE_PARENT;
	if (place == WORKER_FITS && server.page != NULL && turn_has_workers())
		return WORKER_HAS_WORKERS;
	return place;
}

/* Whoever accepts without being a worker is no master either. */
static void stand_beside(void)
{
	if (server.page != NULL)
		turn_serve_beside_children(worker.listener);
}

static void look_at_newborn(void)
{
	if (atomic_flag_test_and_set(&self.busy))
		return;
	spare_newborn();
	atomic_flag_clear(&self.busy);
}

/* A worker that comes to its first accept has its place in the pool, and fills a vacancy. */
__attribute__((cold, noinline)) static void enter(void)
{
	int saved = errno;
	enum worker_place place;

	self.entered = self.arrived = true;
	if (worker.forker == 0) {
		server_say_unheld();
		stand_beside();
		watch_no_more();
		errno = saved;
		return;
	}
	if (!worker.is_started)
		server_announce();
	self.departure = server_departure();
	recycle_notes_waits = !self.departure.way_is_vouched;
	choose_moment();
	place = find_place();
	if (!turn_can_tell())
		go_unwatched();
	else if (place != WORKER_FITS && place != WORKER_HAS_WORKERS)
		stand_beside();
	else if (server.page != NULL && turn_join(&self.departure, worker.listener, 0))
		look_at_newborn();
	errno = saved;
}

static void begin_crossing(void)
{
	self.hindered_at = verdict.since;
	self.moment_came = self.said_would_leave = false;
}

static void sum_up_rehearsal(void)
{
	struct pool_summary summary;

	if (server.page != NULL && pool_sum_up(server.page, process_clock(), &summary))
		report_rehearsal(&summary);
}

/* Others let it go first, as far as it is over its limits. */
static void want(bool wants)
{
	self.wants = wants;
	if (server.page != NULL)
		turn_want(wants ? policy_excess(verdict.limit, &verdict.sample, verdict.crossed) : 0);
}

static void measure(void)
{
	if (verdict_measure())
		begin_crossing();
	if (self.wants && verdict.crossed == 0)
		want(false);
	if (server.config.dry_run)
		sum_up_rehearsal();
}

/* Its siblings may have yet to come to accept: until then it looks as if it were alone. */
static bool is_its_turn(uint64_t now)
{
	enum pool_turn turn = turn_ask(&self.departure, now);

	if (turn == POOL_ALONE)
		stay_for_now(REMARK_ALONE, now);
	else
		self.hindered_at = now;
	if (turn == POOL_UNFILLED)
		say_stay(REMARK_UNFILLED);
	return turn == POOL_GO;
}

static struct leaving describe(uint64_t now)
{
	return (struct leaving){
	    .way = &self.departure.way,
	    .limit = verdict.limit,
	    .sample = verdict_describe(),
	    .crossed = verdict.crossed,
	    .is_asked = (verdict.crossed & VERDICT_ASKED) != 0,
	    .undecided = verdict.undecided_for,
	    .waited = now - verdict.since,
	    .served_meanwhile = worker.served - verdict.served,
	};
}

/* Is there a reason, in the process itself, to stay? A backlog is one unless it is always there:
 * then there will soon be another connection to wake the siblings. */
static bool has_to_stay(uint64_t now)
{
	enum { BACKLOG_IS_LASTING = 1000 };
	enum worker_place place = find_place();
	enum hindrance hindrance;

	if (place != WORKER_FITS) {
		stay(REMARK_PLACE + place);
		return true;
	}
	if (worker.is_started && process_has_children()) {
		stay_for_now(REMARK_STARTED_CHILDREN, now);
		return true;
	}
	if (!self.departure.takes_time && worker_has_connections()) {
		stay_for_now(REMARK_OPEN, now);
		return true;
	}
	hindrance = leave_hindrance(&self.departure.way, self.departure.way_is_vouched,
	                            worker.many_accept, worker.listener);
	if (hindrance == LEAVE_IS_CLEAN)
		return false;
	if (hindrance == LEAVE_HAS_BACKLOG)
		return now - verdict.since < BACKLOG_IS_LASTING;
	if (leave_is_hindered_for_good(hindrance))
		stay(REMARK_HINDRANCE + hindrance);
	else
		stay_for_now(REMARK_HINDRANCE + hindrance, now);
	return true;
}

/* False if it has to stay, now or for good. */
static bool may_leave(enum moment moment, uint64_t now)
{
	if (has_to_stay(now))
		return false;
	if (server.page == NULL || !turn_join(&self.departure, worker.listener, 0)) {
		stay(server.page == NULL ? REMARK_NO_PAGE : REMARK_NO_SLOT);
		return false;
	}
	choose_moment();
	return moment == self.departure.way.moment;
}

/* Once for each crossing. */
static void rehearse(uint64_t now)
{
	struct leaving leaving;

	if (self.said_would_leave)
		return;
	self.said_would_leave = true;
	leaving = describe(now);
	report_would_leave(&leaving);
	pool_rehearse(server.page, worker.served, now - worker.born);
}

static void try_to_leave(enum moment moment)
{
	uint64_t now = process_clock();
	struct leaving leaving;

	self.moment_came = true;
	want(true);
	if (!turn_may_come(&self.departure, now)) {
		self.hindered_at = now;
		return;
	}
	if (!may_leave(moment, now) || !verdict_stands())
		return;
	if (server.config.dry_run) {
		rehearse(now);
		return;
	}
	if (spare_early() || !is_its_turn(now))
		return;
	spare_note_leaving();
	leaving = describe(now);
	if (self.lock != LOCK_NONE && pool_say_once(server.page, REMARK_LOCK + self.lock))
		report_lock(self.lock);
	report_leaving(&leaving);
	self.phase = LEAVING;
	self.left_at = now;
	leave_carry_out(&self.departure.way);
}

/* Memory is measured at the moment at which the worker would leave; where closes go unseen, at
 * accept at the latest. */
static bool is_due(enum moment moment)
{
	return worker.unchecked >= server.config.check_every &&
	       (moment == self.departure.way.moment || moment == MOMENT_ACCEPT);
}

/* On a blocking listener a worker is idle before the real accept. */
static bool is_idle_at_accept(void)
{
	return self.departure.way.moment == MOMENT_IDLE && listener_blocks(worker.listener);
}

HOT __attribute__((noinline)) static void consider_slowly(enum moment moment)
{
	int saved = errno;

	if (moment == MOMENT_ACCEPT && is_idle_at_accept())
		moment = MOMENT_IDLE;
	if (atomic_flag_test_and_set(&self.busy))
		return;
	if (self.phase == LEAVING) {
		if (moment != MOMENT_CLOSE && /* what is open may take its time */
		    process_clock() - self.left_at > self.departure.replaced_within)
			stay(REMARK_NOT_GONE);
	} else if (self.phase == SERVING) {
		if (is_due(moment))
			measure();
		if (verdict.crossed != 0 && spare_by_trim(moment != MOMENT_CLOSE))
			want(false);
		else if (verdict.crossed != 0 && moment == self.departure.way.moment)
			try_to_leave(moment);
		else if (verdict.crossed != 0 && moment == MOMENT_ACCEPT && !self.moment_came)
			stay_for_now(REMARK_NO_MOMENT, process_clock());
	}
	atomic_flag_clear(&self.busy);
	errno = saved;
}

/* Nearly always there is nothing to do: that costs a few instructions. */
static inline bool is_something_to_do(enum moment moment)
{
	return verdict.crossed != 0 || is_due(moment);
}

static inline void consider(enum moment moment)
{
	if (is_something_to_do(moment))
		consider_slowly(moment);
}

/* After it was asked a worker is told twice that there is nothing to accept or to wait for, so that
 * it looks at what its handler left; then all goes ahead again: it must not turn clients away for
 * long. Where another thread runs the handler, only time tells. */
static bool is_to_refuse(void)
{
	enum { REFUSALS = 2 };

	if (self.phase != LEAVING)
		return false;
	if (self.refused < REFUSALS) {
		self.refused++;
		return true;
	}
	return self.departure.refuses_for > 0 &&
	       process_clock() - self.left_at < self.departure.refuses_for;
}

void recycle_unseen(void)
{
	if (server.page != NULL && pool_say_once(server.page, REMARK_UNSEEN))
		report_unwatched(REMARK_UNSEEN);
}

/* Apart from the quick way through recycle_before_accept. */
__attribute__((noinline)) static bool is_listener_watched(int listener)
{
	struct place place;

	return place_find(listener, &place) && config_watches(&server.config, &place);
}

bool recycle_looks_for_listener(void)
{
	enum { LOOKS = 8 };

	return !self.arrived && self.looked++ < LOOKS;
}

/* Its siblings may be given all connections for long: what counts is that it is ready. Some masters
 * wait for a listener and let others accept: not those that are known to be workers, too, where
 * they do. */
static void arrive_at(int listener, uint64_t waited_for)
{
	struct departure departure = server_departure();

	if (worker_place() == WORKER_FITS && !worker_made(listener))
		turn_join(&departure, listener, waited_for);
	else if (worker.forker == 0 && departure.is_known && !departure.master_is_vouched)
		turn_serve_beside_children(listener);
}

void recycle_arrive(int listener, uint64_t waited_for)
{
	int saved = errno;

	if (server.page != NULL && turn_can_tell() &&
	    (server.config.listens == 0 || is_listener_watched(listener)))
		arrive_at(listener, waited_for);
	errno = saved;
}

bool recycle_waits_for(int listener)
{
	worker_waits();
	return listener >= 0 && !self.arrived && worker_is_current() &&
	       !atomic_exchange(&self.arrived, true);
}

HOT int recycle_before_accept(int listener)
{
	if (server.config.listens > 0 && !is_listener_watched(listener)) {
		worker_accepts_elsewhere(listener);
		return RECYCLE_UNCOUNTED;
	}
	worker_accepts_on(listener);
	if (!self.entered)
		enter();
	consider(MOMENT_ACCEPT);
	return is_to_refuse() ? leave_refusal(listener) : 0;
}

HOT void recycle_closed(void)
{
	consider(MOMENT_CLOSE);
}

bool recycle_is_asked_to_leave_idle(void)
{
	return is_something_to_do(MOMENT_IDLE) && worker_is_current();
}

int recycle_listener(void)
{
	return worker.listener;
}

int recycle_idle(void)
{
	consider(MOMENT_IDLE);
	return is_to_refuse() ? EINTR : 0;
}

/* ------------------------------------------------------------- application */

/* Who judges does not take long, unless it is what called. */
static bool begin_asking(void)
{
	enum { TRIES = 100 };

	for (int i = 0; i < TRIES; i++) {
		if (!atomic_flag_test_and_set(&self.busy))
			return true;
		sched_yield();
	}
	return false;
}

static int end_asking(int answer)
{
	atomic_flag_clear(&self.busy);
	return answer;
}

/* At the next moment at which it could leave. */
static void make_due(void)
{
	worker.unchecked = server.config.check_every;
}

int recycle_limit(enum quantity quantity, uint64_t limit)
{
	if (!begin_asking())
		return EBUSY;
	server_limit(quantity, limit);
	verdict_limit(quantity, limit);
	return end_asking(0);
}

int recycle_limit_request(enum quantity quantity, uint64_t limit)
{
	if (!begin_asking())
		return EBUSY;
	verdict_limit_request(quantity, limit);
	make_due();
	return end_asking(0);
}

int recycle_check(void)
{
	make_due();
	return 0;
}

int recycle_worker(void)
{
	if (!begin_asking())
		return EBUSY;
	if (verdict_ask())
		begin_crossing();
	return end_asking(0);
}

/* Who goes by here while another measures is measured by that one. */
int recycle_request_done(void)
{
	worker_request_done();
	if (worker.unchecked < server.config.check_every || atomic_flag_test_and_set(&self.busy))
		return 0;
	if (self.phase == SERVING)
		measure();
	return end_asking(0);
}

int recycle_measure(enum quantity quantity, uint64_t *value)
{
	bool is_known;

	if (!begin_asking())
		return EBUSY;
	is_known = verdict_tell(quantity, value);
	return end_asking(is_known ? 0 : ENODATA);
}
