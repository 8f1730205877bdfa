/* page.c - a page that anybody may have written: nothing that is done with it gets out of bounds or
 * takes for ever. And on a sound page, whatever the order of things, no more workers are away at a
 * time than may be.
 *
 * The input: is the page sound, how many may be away; where it is not, words to write; then what is
 * done, a byte and its arguments each. */
#include "pool/census.h"
#include "pool/figures.h"
#include "pool/newcomers.h"
#include "pool/pool.h"
#include "pool/slots.h"
#include "pool/statistics.h"
#include "pool/turns.h"

#include "fuzz.h"

enum { TAG = 4711, TIMEOUT = 10000, MEMBERS = 64, DONE_AT_MOST = 200 };

static struct pool_page *page;
static uint64_t alive; /* bit n: the member of pid n + 1 */

static bool is_alive(pid_t pid, uint64_t start_time)
{
	(void)start_time;
	return alive >> ((unsigned)pid - 1) % MEMBERS & 1;
}

/* On garbage the clock may stand anywhere. */
struct world {
	bool is_sound;
	uint64_t now;
	unsigned most;
	uint64_t until[DONE_AT_MOST]; /* of the leases that were given and not filled since */
	unsigned given;
};

static void scribble(struct input *input)
{
	for (size_t words = (size_t)take_number(input, 1); words > 0; words--) {
		size_t at = (size_t)take_number(input, 2) * 8;
		uint64_t value = take_number(input, 8);

		if (at + sizeof value <= sizeof *page)
			memcpy((char *)page + at, &value, sizeof value);
	}
}

static void look_at_leases(const struct world *world)
{
	unsigned out = 0;

	for (unsigned i = 0; i < world->given; i++)
		out += world->until[i] > world->now;
	must(out <= world->most);
}

/* A newcomer fills one vacancy at most; whichever that was, no more leases are out than this says.
 */
static void note_filled(struct world *world)
{
	unsigned last = 0;

	for (unsigned i = 1; i < world->given; i++)
		if (world->until[i] > world->until[last])
			last = i;
	if (world->until[last] > world->now)
		world->until[last] = 0;
}

static void ask(struct world *world, struct pool_entry *member, bool is_vouched)
{
	struct pool_terms terms = {
	    .most = world->most, .is_vouched = is_vouched, .now = world->now, .timeout = TIMEOUT};

	terms.census = pool_count(page, TAG, member->pid, world->now, TIMEOUT, is_alive);
	must(terms.census.others <= POOL_SLOTS && terms.census.dead <= POOL_SLOTS);
	must(terms.census.away <= POOL_SLOTS + POOL_LEASES);
	if (pool_lease(page, TAG, &terms) != POOL_GO)
		return;
	world->until[world->given++] = world->now + TIMEOUT;
	if (world->is_sound)
		look_at_leases(world);
	pool_note_left(page, TAG, member, &terms, is_alive);
}

/* What is counted without asking is within bounds, whatever is on the page. */
static void look(const struct world *world)
{
	struct pool_terms terms = {.most = world->most, .now = world->now, .timeout = TIMEOUT};
	bool looks = pool_begin_search(page, TAG, world->now);

	must(!pool_begin_search(page, TAG, world->now));
	terms.census = pool_count(page, TAG, 1, world->now, TIMEOUT, looks ? is_alive : NULL);
	must(terms.census.dead <= POOL_SLOTS && terms.census.others <= POOL_SLOTS);
	must(terms.census.away <= terms.census.count);
	pool_judge(page, TAG, &terms);
	pool_end_search(page, TAG, world->now, 20);
}

static void join(struct world *world, struct pool_entry *member)
{
	struct pool_newcomer newcomer = {
	    .born = member->born, .now = world->now, .timeout = TIMEOUT, .is_vouched = world->now & 1};
	int slot;

	pool_fill_vacancy(page, TAG, &newcomer, is_alive);
	note_filled(world);
	slot = pool_enter(page, TAG, member, is_alive);
	must(slot >= POOL_NO_SLOT && slot < POOL_SLOTS);
	must(pool_holds(page, slot, TAG, member->pid) == (slot != POOL_NO_SLOT));
	must(pool_has(page, TAG, member->pid) || slot == POOL_NO_SLOT);
	pool_set_excess(page, slot, TAG, member->pid, world->now);
	must(pool_count_further_over(page, TAG, 1) <= POOL_SLOTS);
	pool_tell_memory(page, slot, TAG, member->pid, &(struct pool_memory){world->now, 1});
	must(pool_sum_memory(page, TAG, member->pid, is_alive).count <= POOL_SLOTS);
}

static void leave(struct world *world, const struct pool_entry *member)
{
	int slot = (int)(world->now % (POOL_SLOTS + 2)) - 1;

	pool_exit(page, slot, TAG, member->pid);
	must(!pool_holds(page, slot, TAG, member->pid));
}

static void tell(struct world *world)
{
	struct pool_summary summary;

	pool_report_once(page, (unsigned)world->now);
	must(!pool_report_once(page, (unsigned)world->now));
	pool_note_life(page, world->now & 1);
	pool_lives_are_short(page);
	pool_count_rehearsal(page, &(struct pool_life){.served = 1, .lived = world->now});
	pool_take_summary(page, world->now, &summary);
}

static void do_next(struct world *world, struct input *input)
{
	uint64_t what = take_number(input, 1), argument = take_number(input, 2);
	struct pool_entry member = {.pid = (pid_t)(argument % MEMBERS) + 1,
	                            .start_time = 1,
	                            .born = world->now,
	                            .now = world->now};

	switch (what % 8) {
	case 0:
		join(world, &member);
		break;
	case 1:
		leave(world, &member);
		break;
	case 2:
		ask(world, &member, true);
		break;
	case 3:
		ask(world, &member, false);
		break;
	case 4:
		world->now += argument;
		break;
	case 5:
		alive ^= UINT64_C(1) << argument % MEMBERS;
		break;
	case 6:
		pool_renew_leases(page, TAG, world->is_sound ? 0 : world->most, world->now, TIMEOUT,
		                  is_alive);
		look(world);
		break;
	default:
		tell(world);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct world world = {.now = 1000000};

	if (page == NULL)
		page = pool_create();
	must(page != NULL);
	memset(page, 0, sizeof *page);
	world.is_sound = take_number(&input, 1) & 1;
	world.most = (unsigned)take_number(&input, 1) % 8 + 1;
	alive = ~UINT64_C(0);
	if (!world.is_sound)
		scribble(&input);
	for (int done = 0; done < DONE_AT_MOST && input.size > 0; done++)
		do_next(&world, &input);
	return 0;
}
