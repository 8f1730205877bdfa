/* recycle.c - the conductor. See recycle.h for the order of things.
 *
 * `config` and what follows from it are written in the constructor and read-only after, so no
 * lock. `self` belongs to one worker; whoever sets `busy` may change it, everybody else (another
 * thread, a signal handler that closes a connection) goes by: a later connection will do. */
#include "recycle.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "config.h"
#include "leave.h"
#include "log.h"
#include "meter.h"
#include "policy.h"
#include "pool.h"
#include "process.h"
#include "profile.h"
#include "report.h"
#include "worker.h"

enum { ALL_QUANTITIES = (1u << QUANTITIES) - 1 };

_Atomic bool recycle_watches;

static struct config config;
static struct remarks remarks;
static bool is_on; /* a limit is set and nothing was refused */

/* Written once in the master, by the first fork after listen(). */
static bool looked_for_listeners, announced;
static struct pool_page *page;

enum phase { SERVING, LEAVING, STAYING };

/* How workers of this program leave. */
struct departure {
	struct way way;
	const char *whose;        /* "SL_LEAVE", a profile's title, or NULL: nobody's */
	bool way_is_vouched;      /* a profile says that this way suits it */
	bool master_is_vouched;   /* ... that its master replaces who leaves */
	uint64_t replaced_within; /* milliseconds */
};

static struct {
	atomic_flag busy;
	bool entered; /* has come to its first accept */
	enum phase phase;
	struct departure departure;
	uint32_t tag;         /* of its pool */
	int slot;             /* in the page */
	struct sample sample; /* the last one */
	unsigned crossed;     /* by it */
	uint64_t crossed_at;  /* since when, without a break */
	uint64_t crossed_served;
	bool said_would_leave; /* in a dry run, since then */
	unsigned count;        /* of its pool, ... */
	uint64_t counted_at;   /* ... counted then */
	uint64_t left_at;
	unsigned refused; /* accepts, since then */
	uint64_t said;    /* remarks, where there is no page to keep them */
} self = {.busy = ATOMIC_FLAG_INIT, .slot = POOL_NO_SLOT};

static unsigned wanted_quantities(void)
{
	unsigned wanted = 0;

	for (int q = 0; q < QUANTITIES; q++)
		if (config.limit[q] > 0)
			wanted |= 1u << q;
	return wanted;
}

/* As SL_LEAVE says, else as the profile does. */
static struct departure find_departure(void)
{
	enum { REPLACED_WITHIN = 10000 };
	const struct profile *profile = profile_find(report_program());
	struct departure departure = {.way = config.leave, .replaced_within = REPLACED_WITHIN};

	if (profile != NULL) {
		departure.master_is_vouched = true;
		departure.replaced_within = profile->replaced_within;
	}
	if (config.replace_timeout > 0)
		departure.replaced_within = config.replace_timeout;
	if (config.leave.deed != DEED_UNSAID) {
		departure.whose = "SL_LEAVE";
	} else if (profile != NULL) {
		departure.whose = profile->title;
		departure.way_is_vouched = true;
		departure.way = profile->way;
	}
	return departure;
}

/* ------------------------------------------------------------ in the master */

static void announce_limits(void)
{
	struct departure departure = find_departure();
	struct sample sample = {.known = 0};

	report_limits(&config, &departure.way, departure.whose, departure.replaced_within);
	meter_read(config.probe, wanted_quantities(), &sample);
	sample_set(&sample, QUANTITY_CONNECTIONS, 0);
	for (int q = 0; q < QUANTITIES; q++)
		if (config.limit[q] > 0 && !sample_knows(&sample, (enum quantity)q))
			report_unmeasurable((enum quantity)q, &config);
}

/* The first fork after listen() is a server's: shells, helpers and CGI programs that inherit the
 * environment do not get here. */
static void announce(void)
{
	int error = log_open();

	announced = true;
	if (error != 0)
		report_log_failure(config.log_path, error);
	report_remarks(&remarks);
	if (!is_on)
		return;
	announce_limits();
	page = pool_create();
	if (page == NULL)
		report_no_page(errno);
}

static void before_fork(void)
{
	int saved = errno;

	worker_before_fork();
	if (!announced && !looked_for_listeners) {
		looked_for_listeners = true;
		worker_find_listeners();
	}
	if (!announced && worker_has_listener())
		announce();
	errno = saved;
}

static void after_fork_in_child(void)
{
	worker_born(process_clock());
	atomic_flag_clear(&self.busy);
	self.entered = false;
	self.phase = SERVING;
	self.slot = POOL_NO_SLOT;
	self.crossed = 0;
	self.said_would_leave = false;
	self.counted_at = 0;
	self.refused = 0;
	self.said = 0;
	recycle_watches = is_on;
}

void recycle_start(char *const environment[])
{
	if (getauxval(AT_SECURE) || !config_is_asked_for(environment))
		return;
	config_read(&config, &remarks, environment);
	is_on = config_has_limit(&config) && remarks.errors == 0;
	if (!is_on && remarks.errors + remarks.warnings == 0)
		return;
	worker_start();
	report_start();
	profile_start(report_program());
	log_start(config.log, config.log_path);
	if (pthread_atfork(before_fork, NULL, after_fork_in_child) != 0)
		is_on = false;
}

void recycle_before_listen(void)
{
	enum { CONFIGURATION_ERROR = 78 }; /* EX_CONFIG of sysexits.h */

	if (remarks.errors == 0 || !config.strict)
		return;
	log_open();
	report_remarks(&remarks);
	_exit(CONFIGURATION_ERROR);
}

void recycle_listens(int fd)
{
	if (is_on || remarks.errors + remarks.warnings > 0)
		worker_listens(fd);
}

/* ------------------------------------------------------------ in the worker */

/* Once in a server's life, or at least in a worker's. */
static void say_stay(unsigned remark)
{
	uint64_t bit = UINT64_C(1) << remark;

	if (page != NULL ? pool_say_once(page, remark) : (self.said & bit) == 0)
		report_stay(remark, &self.departure.way);
	self.said |= bit;
}

static void stay(unsigned remark)
{
	say_stay(remark);
	self.phase = STAYING;
	recycle_watches = false;
}

/* A worker that comes to its first accept has its place in the pool, and fills a vacancy. */
static void enter(int listener)
{
	int saved = errno;

	self.entered = true;
	self.departure = find_departure();
	if (page != NULL && worker_place() == WORKER_FITS) {
		self.tag = pool_tag(worker.forker, worker_common_listener(listener));
		self.slot = pool_enter(page, self.tag, worker.pid, process_start_time(worker.pid),
		                       process_is_alive);
		pool_fill_vacancy(page, self.tag, worker.born, self.departure.replaced_within);
	}
	errno = saved;
}

static void measure(void)
{
	unsigned before = self.crossed;

	worker.unchecked = 0;
	self.sample.known = 0;
	meter_read(config.probe, wanted_quantities(), &self.sample);
	sample_set(&self.sample, QUANTITY_CONNECTIONS, worker.served);
	self.crossed = policy_crossed(config.limit, &self.sample);
	if (before == 0 && self.crossed != 0) {
		self.crossed_at = process_clock();
		self.crossed_served = worker.served;
		self.said_would_leave = false;
	}
}

/* The pool changes little in a second, and counting it reads a file for each of its workers. */
static unsigned count_pool(uint64_t now)
{
	enum { COUNT_HOLDS = 1000 };

	if (self.counted_at == 0 || now - self.counted_at > COUNT_HOLDS) {
		self.count =
		    pool_count(page, self.tag, now, self.departure.replaced_within, process_is_alive);
		self.counted_at = now;
	}
	return self.count;
}

static bool is_its_turn(uint64_t now)
{
	struct pool_terms terms = {
	    .most = config.max_leaving,
	    .count = count_pool(now),
	    .is_vouched = self.departure.master_is_vouched,
	    .now = now,
	    .timeout = self.departure.replaced_within,
	};
	enum pool_turn turn;

	if (config.max_leaving_is_percent)
		terms.most = terms.count * config.max_leaving / 100;
	if (terms.most == 0)
		terms.most = 1;
	turn = pool_lease(page, self.tag, &terms);
	if (turn == POOL_ALONE || turn == POOL_UNFILLED)
		say_stay(turn == POOL_ALONE ? REMARK_ALONE : REMARK_UNFILLED);
	return turn == POOL_GO;
}

static struct leaving describe(uint64_t now)
{
	struct leaving leaving = {
	    .config = &config,
	    .way = &self.departure.way,
	    .sample = self.sample,
	    .crossed = self.crossed,
	    .age = now - worker.born,
	    .waited = now - self.crossed_at,
	    .served_meanwhile = worker.served - self.crossed_served,
	};

	/* Those that no limit asked for; the crossed ones stay as they were judged. */
	meter_read(config.probe, ALL_QUANTITIES & ~leaving.sample.known, &leaving.sample);
	for (int q = 0; q < QUANTITIES; q++)
		if (sample_knows(&self.sample, (enum quantity)q))
			leaving.sample.value[q] = self.sample.value[q];
	return leaving;
}

/* False if it has to stay, now or for good. */
static bool may_leave(void)
{
	enum worker_place place = worker_place();
	enum hindrance hindrance;

	if (place != WORKER_FITS) {
		stay(REMARK_PLACE + place);
		return false;
	}
	if (worker_open_connections() > 0)
		return false;
	hindrance =
	    leave_hindrance(&self.departure.way, self.departure.way_is_vouched, worker.listener);
	if (hindrance != LEAVE_IS_CLEAN) {
		if (leave_is_hindered_for_good(hindrance))
			stay(REMARK_HINDRANCE + hindrance);
		return false;
	}
	if (page == NULL || self.slot == POOL_NO_SLOT) {
		stay(page == NULL ? REMARK_NO_PAGE : REMARK_NO_SLOT);
		return false;
	}
	return true;
}

static void try_to_leave(void)
{
	uint64_t now = process_clock();
	struct leaving leaving;

	if (!may_leave())
		return;
	if (config.dry_run) {
		if (!self.said_would_leave) {
			leaving = describe(now);
			report_would_leave(&leaving);
		}
		self.said_would_leave = true;
		return;
	}
	if (!is_its_turn(now))
		return;
	leaving = describe(now);
	report_leaving(&leaving);
	pool_exit(page, self.slot, self.tag, worker.pid);
	self.phase = LEAVING;
	self.left_at = now;
	leave_carry_out(&self.departure.way);
}

/* Memory is measured at the moment at which the worker would leave; where closes go unseen, at
 * accept at the latest. */
static bool is_due(enum moment moment)
{
	return worker.unchecked >= config.check_every &&
	       (moment == self.departure.way.moment || moment == MOMENT_ACCEPT);
}

static void consider_slowly(enum moment moment)
{
	int saved = errno;

	if (atomic_flag_test_and_set(&self.busy))
		return;
	if (self.phase == LEAVING) {
		if (process_clock() - self.left_at > self.departure.replaced_within)
			stay(REMARK_NOT_GONE);
	} else if (self.phase == SERVING) {
		if (is_due(moment))
			measure();
		if (self.crossed != 0 && moment == self.departure.way.moment)
			try_to_leave();
	}
	atomic_flag_clear(&self.busy);
	errno = saved;
}

/* Nearly always there is nothing to do: that costs a few instructions. */
static inline void consider(enum moment moment)
{
	if (self.crossed != 0 || is_due(moment))
		consider_slowly(moment);
}

/* After its signal a worker is told twice that there is nothing to accept, so that it looks at
 * what its handler left; then accepts go ahead again: it must not turn clients away for long. */
static bool is_to_refuse(void)
{
	enum { REFUSALS = 2 };

	return self.phase == LEAVING && self.departure.way.deed == DEED_SIGNAL &&
	       self.refused < REFUSALS;
}

int recycle_before_accept(int listener)
{
	worker_accepts_on(listener);
	if (!self.entered)
		enter(listener);
	consider(MOMENT_ACCEPT);
	if (!is_to_refuse())
		return 0;
	self.refused++;
	return leave_refusal(listener);
}

void recycle_closed(void)
{
	consider(MOMENT_CLOSE);
}
