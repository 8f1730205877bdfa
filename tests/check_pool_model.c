/* check_pool_model.c - random histories of pools on one page, against what an onlooker knows.
 *
 * The world has a clock of its own, and masters of several kinds. Its workers enter, cross their
 * limit, ask for a lease, leave, are killed at any moment and are replaced, or not; some histories
 * have a worker that scribbles on the page. The onlooker never reads the page: he counts who is
 * away. */
#include "pool/census.h"
#include "pool/newcomers.h"
#include "pool/pool.h"
#include "pool/slots.h"
#include "pool/statistics.h"
#include "pool/turns.h"

#include <string.h>
#include <sys/mman.h>

#include "check_main.h"

enum { TIMEOUT = 10000, SETTLED = TIMEOUT / POOL_SETTLES + 1, STEPS = 3000, HISTORIES = 300 };
enum { POOLS = 4, WORKERS = 12, VACANCIES = 64 };

enum master {
	VOUCHED,        /* a profile says that it replaces who leaves */
	PROMPT,         /* replaces at once, and nobody vouches for it */
	SLOW,           /* ... within most of the timeout */
	TOO_SLOW,       /* ... after it */
	NEVER_REPLACES, /* workers go and nobody comes */
	ON_FAILURE,     /* replaces those that are killed, sooner or later, and no leaver */
	MASTERS
};

struct member {
	pid_t pid; /* 0: nobody */
	uint64_t born, enters;
	bool entered, came_for_dead;
	int slot;
};

struct pool {
	enum master master;
	uint32_t tag;
	unsigned most, size;
	struct member members[WORKERS];
	uint64_t births[WORKERS];      /* when one is due; 0: none */
	uint64_t vacancies[VACANCIES]; /* since when; 0: none, or filled */
	unsigned leavings;
	uint64_t left_at; /* the last of them */
};

static struct {
	struct pool_page *page;
	struct pool pools[POOLS];
	uint64_t now, seed;
	pid_t next_pid;
	bool has_scribbler;
} world;

/* Marsaglia's xorshift64. */
static uint64_t draw(void)
{
	world.seed ^= world.seed << 13;
	world.seed ^= world.seed >> 7;
	world.seed ^= world.seed << 17;
	return world.seed;
}

static unsigned pick(unsigned below)
{
	return (unsigned)(draw() % below);
}

static bool is_alive(pid_t pid, uint64_t start_time)
{
	(void)start_time;
	for (int p = 0; p < POOLS; p++)
		for (int w = 0; w < WORKERS; w++)
			if (world.pools[p].members[w].pid == pid)
				return true;
	return false;
}

/* -------------------------------------------------------------------- births */

static void give_birth(struct pool *pool)
{
	for (int w = 0; w < WORKERS; w++)
		if (pool->members[w].pid == 0) {
			pool->members[w] = (struct member){.pid = world.next_pid++,
			                                   .born = world.now,
			                                   .enters = world.now + pick(TIMEOUT / 4),
			                                   .slot = POOL_NO_SLOT};
			return;
		}
}

static void order_birth(struct pool *pool, uint64_t after)
{
	for (int w = 0; w < WORKERS; w++)
		if (pool->births[w] == 0) {
			pool->births[w] = world.now + after;
			return;
		}
}

static void replace(struct pool *pool, bool is_killed)
{
	switch (pool->master) {
	case ON_FAILURE:
		if (is_killed)
			order_birth(pool, pick(pool->leavings == 0 ? TIMEOUT / 2 : TIMEOUT * 3 / 2));
		return;
	case NEVER_REPLACES:
		return;
	case SLOW:
		order_birth(pool, pick(TIMEOUT / 2));
		return;
	case TOO_SLOW:
		order_birth(pool, TIMEOUT + pick(TIMEOUT));
		return;
	default:
		order_birth(pool, 1);
	}
}

static bool is_vacant(const struct pool *pool, int v)
{
	return pool->vacancies[v] != 0 && pool->vacancies[v] + TIMEOUT > world.now;
}

/* A newcomer fills one of them. The onlooker takes it to be the last one, which would be a vacancy
 * for longest: so he never counts more than there are. */
static void forget_vacancy(struct pool *pool)
{
	int last = -1;

	for (int v = 0; v < VACANCIES; v++)
		if (is_vacant(pool, v) && (last < 0 || pool->vacancies[v] > pool->vacancies[last]))
			last = v;
	if (last >= 0)
		pool->vacancies[last] = 0;
}

static void take_slot(struct pool *pool, struct member *member)
{
	struct pool_entry who = {member->pid, 1, member->came_for_dead ? 0 : member->born, world.now};

	member->slot = pool_enter(world.page, pool->tag, &who, is_alive);
}

static void on_first_accept(struct pool *pool, struct member *member)
{
	struct pool_newcomer newcomer = {member->born, world.now, TIMEOUT, pool->master == VOUCHED};

	member->entered = true;
	member->came_for_dead = pool_fill_vacancy(world.page, pool->tag, &newcomer, is_alive);
	take_slot(pool, member);
	forget_vacancy(pool);
}

static void pass_time(uint64_t milliseconds)
{
	world.now += milliseconds;
	for (int p = 0; p < POOLS; p++) {
		struct pool *pool = &world.pools[p];

		for (int w = 0; w < WORKERS; w++)
			if (pool->births[w] != 0 && pool->births[w] <= world.now) {
				pool->births[w] = 0;
				give_birth(pool);
			}
		for (int w = 0; w < WORKERS; w++) {
			struct member *member = &pool->members[w];

			if (member->pid != 0 && !member->entered && member->enters <= world.now)
				on_first_accept(pool, member);
		}
	}
}

/* -------------------------------------------------------------------- deaths */

static unsigned serving(const struct pool *pool)
{
	unsigned count = 0;

	for (int w = 0; w < WORKERS; w++)
		count += pool->members[w].pid != 0 && pool->members[w].entered;
	return count;
}

static unsigned away(const struct pool *pool)
{
	unsigned count = 0;

	for (int v = 0; v < VACANCIES; v++)
		count += is_vacant(pool, v);
	return count;
}

static void note_vacancy(struct pool *pool)
{
	int v = 0;

	while (is_vacant(pool, v))
		v++;
	pool->vacancies[v] = world.now;
}

/* The page tells of those that had come to accept, until somebody scribbles on it. */
static void die(struct pool *pool, struct member *member, bool is_killed)
{
	if (!is_killed || (member->entered && !world.has_scribbler))
		note_vacancy(pool);
	member->pid = 0;
	replace(pool, is_killed);
}

/* What the shim promises of every leaving. */
static void check_leaving(const struct pool *pool)
{
	ck_assert_uint_le(away(pool), pool->most);
	if ((pool->master == NEVER_REPLACES || pool->master == ON_FAILURE) && !world.has_scribbler)
		ck_assert_uint_le(pool->leavings, 1);
	if (pool->master != VOUCHED)
		ck_assert_uint_ge(serving(pool), 1);
}

/* A worker over its limit asks; given a lease it leaves, or is killed on its way out. */
static bool ask(struct pool *pool, struct member *member)
{
	struct pool_terms terms = {.most = pool->most,
	                           .is_vouched = pool->master == VOUCHED,
	                           .has_served = true,
	                           .now = world.now,
	                           .timeout = TIMEOUT};

	if (!pool_holds(world.page, member->slot, pool->tag, member->pid))
		take_slot(pool, member);
	terms.census = pool_count(world.page, pool->tag, member->pid, world.now, TIMEOUT, is_alive);
	ck_assert_uint_ge(terms.census.count, 1);
	if (pool_judge(world.page, pool->tag, &terms) != POOL_GO)
		return false;
	pool_exit(world.page, member->slot, pool->tag, member->pid);
	if (pool_lease(world.page, pool->tag, &terms) != POOL_GO) {
		take_slot(pool, member);
		return false;
	}
	pool->leavings++;
	pool->left_at = world.now;
	die(pool, member, false);
	check_leaving(pool);
	return true;
}

/* ------------------------------------------------------------------- history */

static struct member *pick_entered(struct pool *pool)
{
	struct member *member = &pool->members[pick(WORKERS)];

	return member->pid != 0 && member->entered ? member : NULL;
}

/* The page cannot tell of one that is killed before it has come to accept, and was born before the
 * trial: whoever comes for that one is a newcomer more. */
static bool is_untold(const struct pool *pool, const struct member *member)
{
	return pool->master == ON_FAILURE && !member->entered &&
	       (pool->leavings == 0 || member->born < pool->left_at);
}

static void restart(struct pool *pool)
{
	for (int w = 0; w < WORKERS; w++)
		if (pool->members[w].pid != 0 && !is_untold(pool, &pool->members[w]))
			die(pool, &pool->members[w], true);
}

static void scribble(void)
{
	uint64_t *words = (uint64_t *)world.page;

	for (size_t i = 0; i < sizeof *world.page / sizeof *words; i++)
		words[i] = draw();
}

static void step(void)
{
	struct pool *pool = &world.pools[pick(POOLS)];
	struct member *member = pick_entered(pool);
	unsigned what = pick(100);

	if (what < 40)
		pass_time(pick(TIMEOUT / 20));
	else if (what < 90 && member != NULL)
		ask(pool, member);
	else if (what < 96 && member != NULL && pool->master != NEVER_REPLACES)
		die(pool, member, true);
	else if (what == 96 && pool->master != NEVER_REPLACES)
		restart(pool);
	else if (what == 97 && world.has_scribbler)
		scribble();
}

static void begin(uint64_t seed)
{
	memset(&world, 0, sizeof world);
	world.page = pool_create();
	world.seed = 88172645463325252ull + seed * 2654435761u;
	world.now = 1000000;
	world.next_pid = 1000;
	world.has_scribbler = seed % 3 == 0;
	for (int p = 0; p < POOLS; p++) {
		struct pool *pool = &world.pools[p];

		pool->master = (enum master)pick(MASTERS);
		pool->tag = pool_tag(100 + p, draw());
		pool->most = 1 + pick(3);
		pool->size = 2 + pick(WORKERS / 2);
		for (unsigned w = 0; w < pool->size; w++)
			give_birth(pool);
	}
}

/* Once nobody is killed any more, whoever may leave gets a lease in the end: none is lost, and no
 * fuse holds for good. */
static void check_that_it_goes_on(struct pool *pool)
{
	if (pool->master == NEVER_REPLACES || pool->master == ON_FAILURE)
		return;
	for (int tries = 0; tries < 200; tries++) {
		pass_time(tries % 20 == 0 ? SETTLED : TIMEOUT / 10);
		for (int w = 0; w < WORKERS; w++)
			if (pool->members[w].pid != 0 && pool->members[w].entered &&
			    ask(pool, &pool->members[w]))
				return;
	}
	ck_abort_msg("no worker of pool %u (master %d, %u serving) may leave any more", pool->tag,
	             (int)pool->master, serving(pool));
}

START_TEST(keeps_its_promises_in_any_history)
{
	begin((uint64_t)_i);
	for (int i = 0; i < STEPS; i++)
		step();
	for (int p = 0; p < POOLS; p++)
		check_that_it_goes_on(&world.pools[p]);
	munmap(world.page, sizeof *world.page);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, keeps_its_promises_in_any_history, 0, HISTORIES);
}
