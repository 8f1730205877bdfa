/* member.c - this worker's dealings with its pool. See member.h for what it may not know. */
#include "pool/member.h"

#include "core/worker.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

static struct {
	uint32_t tag;        /* of its pool; 0: none yet */
	int slot;            /* in the page */
	uint64_t start_time; /* of this worker; 0: not asked yet */
	uint64_t excess;     /* with which it wants to leave */
	uint64_t yields_at;  /* since when it lets others go first; 0: it does not */
	bool came_for_dead;  /* it was born in place of one that died */
} self;

void member_begin(void)
{
	self.tag = 0;
	self.slot = POOL_NO_SLOT;
	self.start_time = 0;
	self.excess = 0;
	self.yields_at = 0;
	self.came_for_dead = false;
}

/* Read once: it takes a file. */
static uint64_t find_start_time(void)
{
	if (self.start_time == 0)
		self.start_time = process_start_time(worker.pid);
	return self.start_time;
}

bool member_sees_siblings(void)
{
	return find_start_time() != 0;
}

static struct pool_member describe_self(void)
{
	return (struct pool_member){worker.pid, find_start_time(), self.came_for_dead ? 0 : worker.born,
	                            process_clock()};
}

/* Not the tag of its children's pool, in which it would be a member who is dead, for it is nobody's
 * sibling: a vacancy. */
static uint32_t tag_of_accepting_parent(pid_t parent, int listener)
{
	int type;

	return pool_tag(parent, ~file_identify(listener, &type));
}

void member_register_accepting_parent(int listener)
{
	struct pool_member member = describe_self();

	pool_enter(server.page, tag_of_accepting_parent(worker.pid, listener), &member,
	           process_is_alive);
}

/* Of the pool of one, in which a master is that may be a worker, too. */
static uint32_t tag_of_master(pid_t master)
{
	return pool_tag(master, UINT64_MAX);
}

/* Or it is a worker by itself: to fork another one, puma's first worker stops its own server and
 * closes what it has not read from. */
bool member_has_accepting_parent(void)
{
	pid_t parent = worker.forker;

	return pool_has(server.page, tag_of_accepting_parent(parent, worker.listener), parent) ||
	       (worker.is_grandchild && pool_has_elsewhere(server.page, tag_of_master(parent), parent));
}

bool member_has_workers(void)
{
	return pool_has(server.page, tag_of_master(worker.pid), worker.pid);
}

static void mark_master(void)
{
	uint32_t tag = tag_of_master(worker.forker);
	struct pool_member master = {worker.forker, process_start_time(worker.forker), 0,
	                             process_clock()};

	if (worker.is_grandchild && !pool_has(server.page, tag, worker.forker))
		pool_enter(server.page, tag, &master, process_is_alive);
}

static void take_slot(void)
{
	struct pool_member member = describe_self();

	self.slot = pool_enter(server.page, self.tag, &member, process_is_alive);
	pool_want(server.page, self.slot, self.tag, worker.pid, self.excess);
}

static void fill_vacancy(const struct exit_plan *plan)
{
	struct pool_newcomer newcomer = {
	    .born = worker.born,
	    .now = process_clock(),
	    .timeout = plan->replaced_within,
	    .is_vouched = plan->master_is_vouched,
	};

	self.came_for_dead = pool_fill_vacancy(server.page, self.tag, &newcomer, process_is_sibling);
}

/* Who waits for other listeners accepts nothing in its place, though it may have inherited the same
 * ones. Workers of a known server may come to any of theirs first. */
static uint64_t name_common(const struct exit_plan *plan, int listener, uint64_t waited_for)
{
	if (plan->is_known || worker_made(listener))
		return worker_common_listener(listener);
	return waited_for != 0 ? waited_for : worker_name_socket(listener);
}

/* Somebody may have written over it. */
static void hold_slot(void)
{
	if (!pool_holds(server.page, self.slot, self.tag, worker.pid))
		take_slot();
}

bool member_join(const struct exit_plan *plan, int listener, uint64_t waited_for)
{
	if (self.tag == 0) {
		self.tag = pool_tag(worker.forker, name_common(plan, listener, waited_for));
		fill_vacancy(plan);
		mark_master();
	}
	hold_slot();
	return self.slot != POOL_NO_SLOT;
}

/* One of the pool looks for those that died, and the others go by what it found, for a hundred
 * times as long as that took; a pool of a thousand would do little else. */
static struct pool_census take_census(const struct exit_plan *plan, uint64_t now)
{
	enum { SHARE = 100, LEAST = 5 };
	const uint64_t a_millisecond = 1000000;
	bool looks = pool_begins_look(server.page, self.tag, now);
	uint64_t begun = looks ? clock_thread() : 0, rest;
	struct pool_census census =
	    pool_count(server.page, self.tag, worker.pid, now, plan->replaced_within,
	               looks ? process_is_sibling : NULL);

	if (looks) {
		rest = (clock_thread() - begun) * SHARE / a_millisecond;
		pool_ends_look(server.page, self.tag, now, rest > LEAST ? rest : LEAST);
	}
	return census;
}

/* How many may be away at a time; of those with listeners of their own one has to inherit. */
static unsigned most_away(const struct pool_census *census)
{
	unsigned most = server.config.max_leaving;

	if (server.config.max_leaving_is_percent)
		most = (unsigned)((uint64_t)census->count * most / 100);
	if (worker.on_own && most >= census->count)
		most = census->count > 0 ? census->count - 1 : 0;
	return most > 0 ? most : 1;
}

/* Those that accept take turns, more or less: its parent would have come to accept, too. */
static bool has_served_in_turn(void)
{
	enum { TURNS = 8 };

	return worker.served >= TURNS;
}

static struct pool_terms find_terms(const struct exit_plan *plan, uint64_t now)
{
	struct pool_terms terms = {
	    .census = take_census(plan, now),
	    .is_vouched = plan->master_is_vouched,
	    .has_served = has_served_in_turn(),
	    .now = now,
	    .timeout = plan->replaced_within,
	};

	terms.most = most_away(&terms.census);
	return terms;
}

enum pool_answer member_look(const struct exit_plan *plan, uint64_t now)
{
	struct pool_terms terms;

	if (self.tag == 0)
		return POOL_GO;
	hold_slot();
	terms = find_terms(plan, now);
	return pool_judge(server.page, self.tag, &terms);
}

static void note_left(const struct pool_terms *terms)
{
	struct pool_member member = describe_self();

	pool_note_left(server.page, self.tag, &member, terms, process_is_alive);
}

void member_want(uint64_t excess)
{
	if (excess == 0)
		self.yields_at = 0;
	if (excess != self.excess)
		pool_want(server.page, self.slot, self.tag, worker.pid, excess);
	self.excess = excess;
}

/* Are there leases only for those who want them more? */
static bool is_to_yield(const struct pool_terms *terms)
{
	enum { AT_MOST = 1000 };
	unsigned further = pool_count_further_over(server.page, self.tag, self.excess);

	if (further == 0 || terms->census.away + further < terms->most)
		return false;
	if (self.yields_at == 0)
		self.yields_at = terms->now;
	return terms->now - self.yields_at < AT_MOST;
}

/* What others have counted is not enough where nobody vouches for the master: the last worker never
 * leaves, and those that died before a trial have to be known when it begins. */
static bool is_sure(struct pool_terms *terms)
{
	if (pool_is_proven(server.page, self.tag))
		return pool_has_other(server.page, self.tag, worker.pid, process_is_sibling);
	terms->census = pool_count(server.page, self.tag, worker.pid, terms->now, terms->timeout,
	                           process_is_sibling);
	return true;
}

enum pool_answer member_ask(const struct exit_plan *plan, uint64_t now)
{
	struct pool_terms terms = find_terms(plan, now);
	enum pool_answer answer;

	if (plan->takes_time) {
		pool_renew_leases(server.page, self.tag, terms.most, now, terms.timeout,
		                  process_is_sibling);
		terms = find_terms(plan, now);
	}
	if (!plan->master_is_vouched && !is_sure(&terms))
		return POOL_WAIT;
	answer = pool_judge(server.page, self.tag, &terms);
	if (answer != POOL_GO)
		return answer;
	if (is_to_yield(&terms))
		return POOL_WAIT;
	pool_exit(server.page, self.slot, self.tag, worker.pid);
	answer = pool_lease(server.page, self.tag, &terms);
	if (answer != POOL_GO)
		take_slot();
	else if (plan->takes_time)
		note_left(&terms);
	return answer;
}
