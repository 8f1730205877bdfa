/* turn.c - this worker's dealings with its pool. See turn.h for what it may not know. */
#include "turn.h"

#include "file.h"
#include "process.h"
#include "worker.h"

static struct {
	uint32_t tag; /* of its pool; 0: none yet */
	int slot;     /* in the page */
	struct pool_census census;
	uint64_t counted_at; /* 0: never */
	uint64_t excess;     /* with which it wants to leave */
	uint64_t yields_at;  /* since when it lets others go first; 0: it does not */
	bool came_for_dead;  /* it was born in place of one that died */
} self;

void turn_begin(void)
{
	self.tag = 0;
	self.slot = POOL_NO_SLOT;
	self.counted_at = self.excess = self.yields_at = 0;
	self.came_for_dead = false;
}

bool turn_can_tell(void)
{
	return process_start_time(worker.pid) != 0;
}

static struct pool_member describe_self(void)
{
	return (struct pool_member){worker.pid, process_start_time(worker.pid),
	                            self.came_for_dead ? 0 : worker.born, process_clock()};
}

/* Not the tag of its children's pool, in which it would be a member who is dead, for it is nobody's
 * sibling: a vacancy. */
static uint32_t tag_beside(pid_t parent, int listener)
{
	int type;

	return pool_tag(parent, ~file_identify(listener, &type));
}

void turn_serve_beside_children(int listener)
{
	struct pool_member member = describe_self();

	pool_enter(server.page, tag_beside(worker.pid, listener), &member, process_is_alive);
}

/* Of the pool of one, in which a master is that may be a worker, too. */
static uint32_t tag_of_master(pid_t master)
{
	return pool_tag(master, UINT64_MAX);
}

/* Or it is a worker by itself: to fork another one, puma's first worker stops its own server and
 * closes what it has not read from. */
bool turn_is_beside_parent(void)
{
	pid_t parent = worker.forker;

	return pool_has(server.page, tag_beside(parent, worker.listener), parent) ||
	       (worker.is_grandchild && pool_has_elsewhere(server.page, tag_of_master(parent), parent));
}

bool turn_has_workers(void)
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

static void fill_vacancy(const struct departure *departure)
{
	struct pool_newcomer newcomer = {
	    .born = worker.born,
	    .now = process_clock(),
	    .timeout = departure->replaced_within,
	    .is_vouched = departure->master_is_vouched,
	};

	self.came_for_dead = pool_fill_vacancy(server.page, self.tag, &newcomer, process_is_sibling);
}

/* Who waits for other listeners accepts nothing in its place, though it may have inherited the same
 * ones. Workers of a known server may come to any of theirs first. */
static uint64_t name_common(const struct departure *departure, int listener, uint64_t waited_for)
{
	if (departure->is_known || worker_made(listener))
		return worker_common_listener(listener);
	return waited_for != 0 ? waited_for : worker_name_socket(listener);
}

/* Somebody may write over its slot. */
bool turn_join(const struct departure *departure, int listener, uint64_t waited_for)
{
	if (self.tag == 0) {
		self.tag = pool_tag(worker.forker, name_common(departure, listener, waited_for));
		fill_vacancy(departure);
		mark_master();
	}
	if (!pool_holds(server.page, self.slot, self.tag, worker.pid))
		take_slot();
	return self.slot != POOL_NO_SLOT;
}

static void count(const struct departure *departure, uint64_t now)
{
	self.census = pool_count(server.page, self.tag, worker.pid, now, departure->replaced_within,
	                         process_is_sibling);
	self.counted_at = now;
}

/* How many may be away at a time; of those with listeners of their own one has to inherit. For a
 * share, a count that is a second old will do: counting reads a file for each worker. */
static unsigned most_away(const struct departure *departure, uint64_t now)
{
	enum { COUNT_HOLDS = 1000 };
	unsigned most = server.config.max_leaving;

	if (!server.config.max_leaving_is_percent && !worker.on_own)
		return most;
	if (self.counted_at == 0 || now - self.counted_at > COUNT_HOLDS)
		count(departure, now);
	if (server.config.max_leaving_is_percent)
		most = self.census.count * most / 100;
	if (worker.on_own && most >= self.census.count)
		most = self.census.count - 1;
	return most > 0 ? most : 1;
}

bool turn_may_come(const struct departure *departure, uint64_t now)
{
	return self.tag == 0 || pool_can_lend(server.page, self.tag, most_away(departure, now), now,
	                                      departure->replaced_within);
}

static void note_left(const struct pool_terms *terms)
{
	struct pool_member member = describe_self();

	pool_note_left(server.page, self.tag, &member, terms, process_is_alive);
}

void turn_want(uint64_t excess)
{
	if (excess == 0)
		self.yields_at = 0;
	if (excess != self.excess)
		pool_want(server.page, self.slot, self.tag, worker.pid, excess);
	self.excess = excess;
}

/* Are there leases only for those who want them more? */
static bool is_to_yield(unsigned most, uint64_t now)
{
	enum { AT_MOST = 1000 };
	unsigned fatter = pool_count_fatter(server.page, self.tag, self.excess, process_is_sibling);

	if (fatter == 0 || self.census.away + fatter < most)
		return false;
	if (self.yields_at == 0)
		self.yields_at = now;
	return now - self.yields_at < AT_MOST;
}

/* Those that accept take turns, more or less: its parent would have come to accept, too. */
static bool has_served_in_turn(void)
{
	enum { TURNS = 8 };

	return worker.served >= TURNS;
}

enum pool_turn turn_ask(const struct departure *departure, uint64_t now)
{
	struct pool_terms terms = {
	    .most = most_away(departure, now),
	    .is_vouched = departure->master_is_vouched,
	    .has_served = has_served_in_turn(),
	    .now = now,
	    .timeout = departure->replaced_within,
	};
	enum pool_turn turn;

	if (departure->takes_time)
		pool_renew_leases(server.page, self.tag, terms.most, now, terms.timeout,
		                  process_is_sibling);
	count(departure, now);
	if (is_to_yield(terms.most, now))
		return POOL_WAIT;
	terms.census = self.census;
	turn = pool_judge(server.page, self.tag, &terms);
	if (turn != POOL_GO)
		return turn;
	pool_exit(server.page, self.slot, self.tag, worker.pid);
	turn = pool_lease(server.page, self.tag, &terms);
	if (turn != POOL_GO)
		take_slot();
	else if (departure->takes_time)
		note_left(&terms);
	return turn;
}
