/* check_pool.c - slots and leases, by one process and by many, on a sound page and on garbage. */
#include "pool/pool.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/process.h"
#include "pool/census.h"
#include "pool/figures.h"
#include "pool/newcomers.h"
#include "pool/slots.h"
#include "pool/statistics.h"
#include "pool/turns.h"

#include "check_main.h"

enum { TAG = 4711, OTHER = 4712, NOW = 1000000, TIMEOUT = 10000 };

static struct pool_page *page;
static bool all_alive;

static bool is_alive(pid_t pid, uint64_t start_time)
{
	(void)start_time;
	return all_alive || pid == getpid();
}

static void open_page(void)
{
	page = pool_create();
	ck_assert_ptr_nonnull(page);
	all_alive = true;
}

static void close_page(void)
{
	munmap(page, sizeof *page);
}

/* Of a pool of `count`, forked long ago, whose master nobody vouches for. */
static enum pool_answer try_lease(unsigned count, unsigned most, uint64_t now)
{
	struct pool_terms terms = {most,   {.count = count, .others = count - 1}, false, true, now,
	                           TIMEOUT};

	return pool_lease(page, TAG, &terms);
}

static bool lease_of(uint32_t tag, unsigned most, uint64_t now)
{
	struct pool_terms terms = {most, {.count = 1}, true, true, now, TIMEOUT};

	return pool_lease(page, tag, &terms) == POOL_GO;
}

static bool lease(unsigned most, uint64_t now)
{
	return lease_of(TAG, most, now);
}

static enum pool_answer judge(unsigned most, uint64_t now)
{
	struct pool_terms terms = {most, {.count = 1}, true, true, now, TIMEOUT};

	return pool_judge(page, TAG, &terms);
}

static int on_first_accept(uint32_t tag, pid_t pid)
{
	struct pool_entry member = {pid, 1, NOW, NOW};

	return pool_enter(page, tag, &member, is_alive);
}

static unsigned count(uint64_t now)
{
	return pool_count(page, TAG, getpid(), now, TIMEOUT, is_alive).count;
}

static void come(uint32_t tag, uint64_t born, uint64_t now, bool is_vouched)
{
	struct pool_newcomer newcomer = {born, now, TIMEOUT, is_vouched};

	pool_fill_vacancy(page, tag, &newcomer, is_alive);
}

/* By a newcomer that was born when it comes. */
static void fill_vacancy(uint32_t tag, uint64_t born)
{
	come(tag, born, born, false);
}

START_TEST(lends_no_more_than_allowed)
{
	ck_assert(lease(2, NOW));
	ck_assert(lease(2, NOW));
	ck_assert(!lease(2, NOW));
	ck_assert(lease(3, NOW));
}
END_TEST

START_TEST(takes_back_what_is_past_its_deadline)
{
	ck_assert(lease(1, NOW));
	ck_assert(!lease(1, NOW + TIMEOUT - 1));
	ck_assert(lease(1, NOW + TIMEOUT));
}
END_TEST

/* Who read the clock first may come to the page last. */
START_TEST(keeps_a_lease_from_an_earlier_clock)
{
	ck_assert(lease(1, NOW));
	ck_assert(!lease(1, NOW - 1));
	ck_assert(!lease(1, NOW - 100));
}
END_TEST

/* A worker that scribbles on the page neither has all go at once nor stops recycling for longer
 * than the timeout. */
START_TEST(rests_after_garbage)
{
	for (int i = 0; i < POOL_LEASES; i++)
		page->leases[i] = UINT64_MAX;
	ck_assert(!lease(1, NOW));
	ck_assert(!lease(1, NOW + TIMEOUT - 1));
	ck_assert_int_eq(try_lease(8, 1, NOW + TIMEOUT), POOL_GO); /* it was nobody's: no fuse */
}
END_TEST

/* ... the first one, so that none runs out while others are filled. */
START_TEST(newcomer_fills_the_first_vacancy)
{
	ck_assert(lease(2, NOW) && lease(2, NOW + 10));
	fill_vacancy(TAG, NOW + 20);
	ck_assert_uint_eq(count(NOW + TIMEOUT + 9), 1);
}
END_TEST

START_TEST(newcomer_fills_one_vacancy)
{
	ck_assert(lease(2, NOW) && lease(2, NOW));
	fill_vacancy(TAG, NOW);
	ck_assert(lease(2, NOW));
	ck_assert(!lease(2, NOW));
}
END_TEST

START_TEST(newcomer_of_another_pool_fills_none)
{
	ck_assert(lease(1, NOW));
	fill_vacancy(OTHER, NOW);
	ck_assert(!lease(1, NOW));
}
END_TEST

/* One that was forked before somebody left serves in his place, but proves nothing. */
START_TEST(worker_born_before_passes_no_trial)
{
	ck_assert_int_eq(try_lease(8, 1, NOW), POOL_GO);
	fill_vacancy(TAG, NOW - 1);
	ck_assert_int_eq(try_lease(8, 1, NOW), POOL_WAIT);
	ck_assert_int_eq(try_lease(8, 1, NOW + TIMEOUT), POOL_UNFILLED);
}
END_TEST

/* All of a pool's first workers are on their way when the first of them leaves. */
START_TEST(worker_of_a_known_master_born_before_fills_no_vacancy)
{
	ck_assert(lease(1, NOW));
	come(TAG, NOW - 1, NOW + 1, true);
	ck_assert(!lease(1, NOW + 1));
	come(TAG, NOW + 1, NOW + 2, true);
	ck_assert(lease(1, NOW + 2));
}
END_TEST

START_TEST(unknown_master_gets_one_trial)
{
	ck_assert_int_eq(try_lease(8, 4, NOW), POOL_GO);
	ck_assert_int_eq(try_lease(8, 4, NOW), POOL_WAIT);
	ck_assert_int_eq(try_lease(8, 4, NOW + TIMEOUT - 1), POOL_WAIT);
}
END_TEST

START_TEST(unknown_master_that_replaces_is_proven)
{
	ck_assert_int_eq(try_lease(8, 2, NOW), POOL_GO);
	fill_vacancy(TAG, NOW + 1);
	ck_assert_int_eq(try_lease(8, 2, NOW + 2), POOL_GO);
	ck_assert_int_eq(try_lease(8, 2, NOW + 2), POOL_GO);
	ck_assert_int_eq(try_lease(8, 2, NOW + 2), POOL_WAIT);
}
END_TEST

/* ... but for the last one present, also where all may be away. */
START_TEST(last_worker_of_an_unknown_master_stays)
{
	struct pool_terms last = {8, {.count = 8}, false, true, NOW + 1, TIMEOUT};

	ck_assert_int_eq(try_lease(8, 8, NOW), POOL_GO);
	fill_vacancy(TAG, NOW + 1);
	ck_assert_int_eq(pool_lease(page, TAG, &last), POOL_WAIT);
	ck_assert_int_eq(try_lease(2, 8, NOW + 1), POOL_GO);
	ck_assert_int_eq(try_lease(2, 8, NOW + 1), POOL_WAIT);
}
END_TEST

START_TEST(knows_when_nothing_is_to_lend)
{
	ck_assert_int_eq(judge(2, NOW), POOL_GO);
	ck_assert_int_eq(judge(2, NOW), POOL_GO); /* takes none */
	ck_assert(lease(2, NOW) && lease(2, NOW));
	ck_assert_int_eq(judge(2, NOW), POOL_WAIT);
	ck_assert_int_eq(judge(2, NOW + TIMEOUT), POOL_GO);
	memset(page, 0xff, sizeof *page);
	ck_assert_int_eq(judge(2, NOW), POOL_GO);
}
END_TEST

/* ... until a vacancy stays unfilled; then until one is filled, however late. */
START_TEST(unfilled_vacancy_is_a_fuse)
{
	ck_assert_int_eq(try_lease(8, 1, NOW), POOL_GO);
	ck_assert_int_eq(try_lease(8, 1, NOW + TIMEOUT), POOL_UNFILLED);
	ck_assert_int_eq(try_lease(8, 1, NOW + 100 * TIMEOUT), POOL_UNFILLED);
	fill_vacancy(TAG, NOW + 100 * TIMEOUT);
	ck_assert_int_eq(try_lease(8, 1, NOW + 100 * TIMEOUT), POOL_GO);
}
END_TEST

START_TEST(unfilled_vacancy_is_a_fuse_of_a_proven_pool)
{
	ck_assert_int_eq(try_lease(8, 2, NOW), POOL_GO);
	fill_vacancy(TAG, NOW + 1);
	ck_assert_int_eq(try_lease(8, 2, NOW + 1), POOL_GO);
	ck_assert_int_eq(try_lease(8, 2, NOW + 1 + TIMEOUT), POOL_UNFILLED);
	fill_vacancy(TAG, NOW + 1 + TIMEOUT);
	ck_assert_int_eq(try_lease(8, 2, NOW + 1 + TIMEOUT), POOL_GO);
}
END_TEST

START_TEST(unfilled_vacancy_is_no_fuse_where_the_master_is_known)
{
	ck_assert(lease(1, NOW));
	ck_assert(lease(1, NOW + TIMEOUT));
}
END_TEST

START_TEST(last_worker_of_an_unknown_master_is_no_trial)
{
	ck_assert_int_eq(try_lease(1, 1, NOW), POOL_ALONE);
}
END_TEST

/* ... and none while its first workers may still be on their way. */
START_TEST(unsettled_pool_is_no_trial)
{
	struct pool_terms terms = {1,
	                           {.count = 8, .others = 7, .youngest = NOW},
	                           false,
	                           true,
	                           NOW + TIMEOUT / POOL_SETTLES,
	                           TIMEOUT};

	ck_assert_int_eq(pool_lease(page, TAG, &terms), POOL_WAIT);
	terms.now++;
	terms.has_served = false; /* ... nor before it was seen that its master does not accept */
	ck_assert_int_eq(pool_lease(page, TAG, &terms), POOL_WAIT);
	terms.has_served = true;
	ck_assert_int_eq(pool_lease(page, TAG, &terms), POOL_GO);
}
END_TEST

START_TEST(tells_the_youngest)
{
	struct pool_entry old = {101, 1, NOW - 5, NOW}, young = {102, 1, NOW - 1, NOW};

	pool_enter(page, TAG, &young, is_alive);
	pool_enter(page, TAG, &old, is_alive);
	on_first_accept(OTHER, 103);
	ck_assert_uint_eq(pool_count(page, TAG, getpid(), NOW, TIMEOUT, is_alive).youngest, NOW - 1);
}
END_TEST

START_TEST(pools_have_their_own_leases)
{
	ck_assert(lease(1, NOW));
	ck_assert(lease_of(OTHER, 1, NOW));
}
END_TEST

START_TEST(counts_the_living_and_those_away)
{
	int slot = on_first_accept(TAG, 101);

	ck_assert_int_ge(on_first_accept(TAG, 102), 0);
	ck_assert_int_ge(on_first_accept(OTHER, 103), 0);
	ck_assert_uint_eq(count(NOW), 2);
	ck_assert(lease(1, NOW));
	pool_exit(page, slot, TAG, 101);
	ck_assert_uint_eq(count(NOW), 2);
	ck_assert_uint_eq(count(NOW + TIMEOUT), 1);
}
END_TEST

/* One that was killed is away until a newcomer comes, or for as long as a lease would be. */
START_TEST(counts_the_dead_as_away)
{
	struct pool_census census;

	on_first_accept(TAG, getpid());
	on_first_accept(TAG, getpid() + 1);
	all_alive = false;
	ck_assert_uint_eq(count(NOW), 2);
	census = pool_count(page, TAG, getpid(), NOW + TIMEOUT - 1, TIMEOUT, is_alive);
	ck_assert_uint_eq(census.count, 2);
	ck_assert_uint_eq(census.dead, 1);
	ck_assert_uint_eq(census.away, 1);
	ck_assert_uint_eq(census.others, 0);
	ck_assert_uint_eq(count(NOW + TIMEOUT), 1);
	all_alive = true;
	ck_assert_uint_eq(count(NOW + TIMEOUT), 1);
}
END_TEST

START_TEST(newcomer_takes_the_place_of_one_of_the_dead)
{
	for (pid_t pid = 101; pid <= 103; pid++)
		on_first_accept(TAG, pid);
	on_first_accept(OTHER, 104);
	all_alive = false;
	fill_vacancy(TAG, NOW);
	ck_assert_uint_eq(count(NOW), 2);
	fill_vacancy(TAG, NOW);
	ck_assert_uint_eq(count(NOW), 1);
	ck_assert_uint_eq(pool_count(page, OTHER, 1, NOW, TIMEOUT, is_alive).dead, 1);
}
END_TEST

/* Of a known master it fills the first vacancy first. */
START_TEST(newcomer_of_a_known_master_fills_the_first_vacancy)
{
	on_first_accept(TAG, 101);
	ck_assert(lease(1, NOW));
	all_alive = false;
	come(TAG, NOW, NOW, true);
	ck_assert_uint_eq(count(NOW), 1);
	ck_assert(lease(1, NOW));
}
END_TEST

/* A master that replaces only those that crash is never proved: at whatever time they do. */
START_TEST(newcomer_for_one_of_the_dead_proves_nothing)
{
	on_first_accept(TAG, 101);
	ck_assert_int_eq(try_lease(8, 1, NOW), POOL_GO);
	all_alive = false;
	fill_vacancy(TAG, NOW + 1);
	ck_assert_int_eq(try_lease(8, 1, NOW + 2), POOL_WAIT);
	on_first_accept(TAG, 102);
	ck_assert_int_eq(try_lease(8, 1, NOW + TIMEOUT), POOL_UNFILLED);
	fill_vacancy(TAG, NOW + TIMEOUT);
	ck_assert_int_eq(try_lease(8, 1, NOW + TIMEOUT), POOL_UNFILLED);
	fill_vacancy(TAG, NOW + TIMEOUT); /* ... and one more than that proves it */
	ck_assert_int_eq(try_lease(8, 1, NOW + TIMEOUT), POOL_GO);
}
END_TEST

/* ... nor by who comes when the vacancy of the dead has run out. */
START_TEST(late_newcomer_for_one_of_the_dead_proves_nothing)
{
	on_first_accept(TAG, 101);
	on_first_accept(TAG, 102);
	ck_assert_int_eq(try_lease(8, 1, NOW), POOL_GO);
	all_alive = false;
	count(NOW + 1); /* sees that they are dead */
	count(NOW + 1 + TIMEOUT);
	for (int i = 0; i < 2; i++) {
		fill_vacancy(TAG, NOW + 2 + TIMEOUT);
		ck_assert_int_eq(try_lease(8, 1, NOW + 2 + TIMEOUT), POOL_UNFILLED);
	}
	fill_vacancy(TAG, NOW + 2 + TIMEOUT);
	ck_assert_int_eq(try_lease(8, 1, NOW + 2 + TIMEOUT), POOL_GO);
}
END_TEST

/* One that was already on its way does not stand for one that dies later. */
START_TEST(newcomer_born_before_the_trial_leaves_the_dead_to_others)
{
	on_first_accept(TAG, 101);
	ck_assert_int_eq(try_lease(8, 1, NOW), POOL_GO);
	all_alive = false;
	come(TAG, NOW - 1, NOW + 1, false);
	fill_vacancy(TAG, NOW + 2);
	ck_assert_int_eq(try_lease(8, 1, NOW + 3), POOL_WAIT);
}
END_TEST

/* A proof that was none, as by a pool that grew, costs one more worker, not one for each crash. */
START_TEST(unfilled_vacancy_opens_the_trial_again)
{
	ck_assert_int_eq(try_lease(8, 1, NOW), POOL_GO);
	fill_vacancy(TAG, NOW + 1);
	ck_assert_int_eq(try_lease(8, 1, NOW + 1), POOL_GO);
	for (uint64_t now = NOW + 2; now < NOW + 5 * TIMEOUT; now += TIMEOUT) {
		all_alive = true;
		on_first_accept(TAG, (pid_t)now);
		all_alive = false;
		fill_vacancy(TAG, now);
		ck_assert_int_ne(try_lease(8, 1, now), POOL_GO);
	}
}
END_TEST

/* ... nor does one of the first workers before it. */
START_TEST(one_of_the_first_leaves_the_dead_to_others)
{
	on_first_accept(TAG, 101);
	all_alive = false;
	come(TAG, NOW - 1, NOW + 1, false);
	ck_assert_uint_eq(count(NOW + 1), 1);
	fill_vacancy(TAG, NOW + 2);
	ck_assert_uint_eq(count(NOW + 2), 0);
}
END_TEST

/* Another pool may take the word of a lease that has run out. */
START_TEST(fuse_lasts_without_its_lease)
{
	ck_assert_int_eq(try_lease(8, 1, NOW), POOL_GO);
	ck_assert(lease_of(TAG + POOL_LEASES, 1, NOW + TIMEOUT));
	ck_assert_int_eq(try_lease(8, 1, NOW + 2 * TIMEOUT), POOL_UNFILLED);
	come(TAG, NOW - 1, NOW + 2 * TIMEOUT, false); /* it may be older than the trial */
	ck_assert_int_eq(try_lease(8, 1, NOW + 2 * TIMEOUT), POOL_UNFILLED);
	fill_vacancy(TAG, NOW + 2 * TIMEOUT);
	ck_assert_int_eq(try_lease(8, 1, NOW + 2 * TIMEOUT), POOL_GO);
}
END_TEST

/* A pool in which births never cease is settled all the same where they are for those that died. */
START_TEST(newcomer_for_one_of_the_dead_is_not_the_youngest)
{
	struct pool_entry replacement = {102, 1, 0, NOW};

	on_first_accept(TAG, 101);
	pool_enter(page, TAG, &replacement, is_alive);
	ck_assert_uint_eq(pool_count(page, TAG, getpid(), NOW + 1, TIMEOUT, is_alive).youngest, NOW);
}
END_TEST

/* Whoever is about to give up its slot is told before. */
START_TEST(judges_before_a_slot_is_given_up)
{
	struct pool_terms terms = {1, {.count = 8, .others = 7}, false, true, NOW, TIMEOUT};

	ck_assert_int_eq(pool_judge(page, TAG, &terms), POOL_GO);
	ck_assert_int_eq(pool_judge(page, TAG, &terms), POOL_GO);
	terms.census.away = 1;
	ck_assert_int_eq(pool_judge(page, TAG, &terms), POOL_WAIT);
	terms.census.away = 0;
	ck_assert_int_eq(pool_lease(page, TAG, &terms), POOL_GO);
	ck_assert_int_eq(pool_judge(page, TAG, &terms), POOL_WAIT);
}
END_TEST

START_TEST(lends_less_while_there_are_dead)
{
	struct pool_terms terms = {
	    2, {.count = 8, .dead = 1, .away = 1, .others = 6}, true, true, NOW, TIMEOUT};

	ck_assert_int_eq(pool_lease(page, TAG, &terms), POOL_GO);
	ck_assert_int_eq(pool_lease(page, TAG, &terms), POOL_WAIT);
	terms.census.dead = terms.census.away = 2;
	terms.now += TIMEOUT;
	ck_assert_int_eq(pool_lease(page, TAG, &terms), POOL_WAIT);
}
END_TEST

/* At NOW, by a worker that finishes what is open first. */
static void leave_slowly(pid_t pid)
{
	struct pool_terms terms = {1, {.count = 4, .others = 3}, true, true, NOW, TIMEOUT};
	struct pool_entry member = {pid, 1, NOW, NOW};

	ck_assert_int_eq(pool_lease(page, TAG, &terms), POOL_GO);
	pool_note_left(page, TAG, &member, &terms, is_alive);
}

static bool lease_after_renewal(uint64_t now)
{
	pool_renew_leases(page, TAG, 1, now, TIMEOUT, is_alive);
	return lease(1, now);
}

START_TEST(leaver_is_away_until_it_has_ended)
{
	leave_slowly(getpid() + 1);
	ck_assert_uint_eq(count(NOW), 1);
	ck_assert(!lease_after_renewal(NOW + TIMEOUT - 1));
	ck_assert(!lease_after_renewal(NOW + TIMEOUT));
	ck_assert_uint_eq(count(NOW + TIMEOUT), 1);
	ck_assert(!lease_after_renewal(NOW + 5 * TIMEOUT));
	all_alive = false;
	ck_assert(!lease_after_renewal(NOW + 6 * TIMEOUT - 1));
	ck_assert(lease_after_renewal(NOW + 6 * TIMEOUT));
}
END_TEST

START_TEST(leaver_is_not_missed_once_it_is_replaced)
{
	leave_slowly(getpid() + 1);
	ck_assert(!lease_after_renewal(NOW + TIMEOUT));
	fill_vacancy(TAG, NOW + TIMEOUT + 1);
	ck_assert(lease_after_renewal(NOW + TIMEOUT + 2));
	ck_assert(lease_after_renewal(NOW + 3 * TIMEOUT));
}
END_TEST

START_TEST(leaver_of_another_pool_is_not_missed)
{
	leave_slowly(getpid() + 1);
	pool_renew_leases(page, OTHER, 1, NOW + TIMEOUT, TIMEOUT, is_alive);
	ck_assert(lease(1, NOW + TIMEOUT));
}
END_TEST

START_TEST(has_a_slot_for_as_many_as_it_says)
{
	for (pid_t pid = 1; pid <= POOL_SLOTS; pid++)
		ck_assert_int_ge(on_first_accept(TAG, pid), 0);
	ck_assert_int_eq(on_first_accept(TAG, 5000), POOL_NO_SLOT);
	all_alive = false;
	ck_assert_int_ge(on_first_accept(TAG, 5000), 0);
}
END_TEST

/* Nobody sees half of a slot: one that is claimed, and not written yet, is of no pool. */
static const uint64_t claim_of_now = UINT64_C(1) << 63 | (uint64_t)NOW << 32 | 101;

START_TEST(claim_is_no_member)
{
	page->slots[0].holder = claim_of_now;
	page->slots_used = 1;
	ck_assert_uint_eq(count(NOW), 0);
	ck_assert_int_eq(on_first_accept(TAG, 102), 1);
}
END_TEST

/* ... and is another's, when no slot is free, once it was given up. */
START_TEST(claim_that_was_given_up_is_free)
{
	struct pool_entry late = {102, 1, NOW, NOW + 1001};

	for (int i = 0; i < POOL_SLOTS; i++)
		page->slots[i].holder = claim_of_now;
	page->slots_used = POOL_SLOTS;
	ck_assert_int_eq(on_first_accept(TAG, 102), POOL_NO_SLOT);
	ck_assert_int_ge(pool_enter(page, TAG, &late, is_alive), 0);
}
END_TEST

/* -------------------------------------------------------------------- looks */

START_TEST(one_looks_for_all)
{
	ck_assert(pool_begin_search(page, TAG, NOW));
	ck_assert(!pool_begin_search(page, TAG, NOW));
	pool_end_search(page, TAG, NOW, 20);
	ck_assert(!pool_begin_search(page, TAG, NOW + 19));
	ck_assert(pool_begin_search(page, TAG, NOW + 20));
}
END_TEST

/* The one that was to look has died. */
START_TEST(look_that_never_ends_is_for_another)
{
	ck_assert(pool_begin_search(page, TAG, NOW));
	ck_assert(!pool_begin_search(page, TAG, NOW + 99));
	ck_assert(pool_begin_search(page, TAG, NOW + 100));
}
END_TEST

START_TEST(looks_are_each_pools_own)
{
	ck_assert(pool_begin_search(page, TAG, NOW));
	ck_assert(pool_begin_search(page, TAG + POOL_LEASES, NOW)); /* in the same place */
	ck_assert(!pool_begin_search(page, TAG, NOW));
	ck_assert(!pool_begin_search(page, TAG + POOL_LEASES, NOW));
}
END_TEST

START_TEST(rests_no_longer_than_a_second)
{
	pool_end_search(page, TAG, NOW, 100000);
	ck_assert(!pool_begin_search(page, TAG, NOW + 999));
	ck_assert(pool_begin_search(page, TAG, NOW + 1000));
	memset(page, 0xff, sizeof *page);
	ck_assert(pool_begin_search(page, TAG, NOW));
}
END_TEST

/* Between two looks those that died are counted as present, and leavers as away. */
START_TEST(counts_without_asking)
{
	struct pool_census census;

	on_first_accept(TAG, getpid());
	on_first_accept(TAG, 1001);
	all_alive = false;
	census = pool_count(page, TAG, getpid(), NOW, TIMEOUT, NULL);
	ck_assert_uint_eq(census.count, 2);
	ck_assert_uint_eq(census.dead, 0);
	ck_assert_uint_eq(count(NOW), 2);
	ck_assert(lease(2, NOW));
	census = pool_count(page, TAG, getpid(), NOW, TIMEOUT, NULL);
	ck_assert_uint_eq(census.count, 3);
	ck_assert_uint_eq(census.dead, 1);
	ck_assert_uint_eq(census.away, 2);
	ck_assert_uint_eq(census.others, 0);
}
END_TEST

/* Nobody gives up a slot that is another's by now. */
START_TEST(exit_spares_the_successor)
{
	int slot = on_first_accept(TAG, 101);

	pool_exit(page, slot, TAG, 102);
	pool_exit(page, slot, OTHER, 101);
	pool_exit(page, POOL_NO_SLOT, TAG, 101);
	pool_exit(page, POOL_SLOTS, TAG, 101);
	ck_assert_uint_eq(count(NOW), 1);
}
END_TEST

START_TEST(knows_who_has_a_slot_elsewhere)
{
	on_first_accept(TAG, 101);
	ck_assert(pool_has(page, TAG, 101) && !pool_has(page, OTHER, 101));
	ck_assert(!pool_has_elsewhere(page, TAG, 101) && !pool_has_elsewhere(page, OTHER, 102));
	ck_assert(pool_has_elsewhere(page, OTHER, 101));
}
END_TEST

START_TEST(says_a_thing_once)
{
	ck_assert(pool_report_once(page, 3));
	ck_assert(!pool_report_once(page, 3));
	ck_assert(pool_report_once(page, 63));
}
END_TEST

START_TEST(knows_who_wants_it_more)
{
	int one = on_first_accept(TAG, 1001), two = on_first_accept(TAG, 1002),
	    other = on_first_accept(OTHER, 1003);

	pool_set_excess(page, one, TAG, 1001, 50);
	pool_set_excess(page, two, TAG, 1002, 100);
	pool_set_excess(page, other, OTHER, 1003, 1000);
	pool_set_excess(page, one, TAG, 1002, 1000); /* not its slot */
	ck_assert_uint_eq(pool_count_further_over(page, TAG, 50), 1);
	ck_assert_uint_eq(pool_count_further_over(page, TAG, 49), 2);
	ck_assert_uint_eq(pool_count_further_over(page, TAG, 100), 0);
	pool_set_excess(page, two, TAG, 1002, 0);
	ck_assert_uint_eq(pool_count_further_over(page, TAG, 50), 0);
	pool_set_excess(page, two, TAG, 1002, 100);
	all_alive = false;
	pool_count(page, TAG, 1001, NOW, TIMEOUT, is_alive); /* sees who is dead */
	ck_assert_uint_eq(pool_count_further_over(page, TAG, 50), 0);
	all_alive = true;
	pool_exit(page, two, TAG, 1002);
	ck_assert_uint_eq(pool_count_further_over(page, TAG, 50), 0);
	pool_set_excess(page, one, TAG, 1001, 0);
	on_first_accept(TAG, 1002); /* what the last holder of its slot wanted is gone */
	ck_assert_uint_eq(pool_count_further_over(page, TAG, 0), 0);
}
END_TEST

START_TEST(adds_up_what_the_others_have)
{
	const struct pool_memory some = {100, 60}, most = {UINT64_MAX, 1};
	int self = on_first_accept(TAG, getpid()), one = on_first_accept(TAG, 1001);
	struct pool_memory_sum sum;

	pool_tell_memory(page, self, TAG, getpid(), &most);
	ck_assert_uint_eq(pool_sum_memory(page, TAG, getpid(), NULL).count, 0);
	pool_tell_memory(page, one, TAG, 1001, &some);
	pool_tell_memory(page, one, TAG, 1002, &most); /* not its slot */
	pool_tell_memory(page, on_first_accept(TAG, 1002), TAG, 1002, &some);
	pool_tell_memory(page, on_first_accept(OTHER, 1003), OTHER, 1003, &most);
	on_first_accept(TAG, 1004); /* has not measured yet */
	sum = pool_sum_memory(page, TAG, getpid(), is_alive);
	ck_assert_uint_eq(sum.count, 2);
	ck_assert_uint_eq(sum.unmeasured, 1);
	ck_assert_uint_eq(sum.of_all.proportional, 200);
	ck_assert_uint_eq(sum.of_all.unshared, 120);
	ck_assert_uint_eq(pool_sum_memory(page, TAG, 1001, is_alive).of_all.proportional, UINT64_MAX);
	ck_assert_uint_eq(pool_count_larger(page, TAG, 59), 2);
	ck_assert_uint_eq(pool_count_larger(page, TAG, 60), 0);
	pool_exit(page, one, TAG, 1001);
	on_first_accept(TAG, 1005); /* what the last holder of its slot had is gone */
	ck_assert_uint_eq(pool_sum_memory(page, TAG, getpid(), is_alive).count, 1);
	all_alive = false;
	ck_assert_uint_eq(pool_sum_memory(page, TAG, getpid(), NULL).count, 1);
	ck_assert_uint_eq(pool_sum_memory(page, TAG, getpid(), is_alive).count, 0);
}
END_TEST

START_TEST(churns_after_short_lives_in_a_row)
{
	for (int i = 0; i < 7; i++)
		pool_note_life(page, true);
	ck_assert(!pool_lives_are_short(page));
	pool_note_life(page, false);
	for (int i = 0; i < 8; i++) {
		ck_assert(!pool_lives_are_short(page));
		pool_note_life(page, true);
	}
	ck_assert(pool_lives_are_short(page));
	pool_note_life(page, false);
	ck_assert(!pool_lives_are_short(page));
	memset(page, 0xff, sizeof *page); /* garbage: at worst nobody leaves until one grows old */
	pool_note_life(page, true);
	ck_assert(pool_lives_are_short(page));
	pool_note_life(page, false);
	ck_assert(!pool_lives_are_short(page));
}
END_TEST

START_TEST(sums_up_once_a_minute)
{
	struct pool_summary summary;

	ck_assert(!pool_take_summary(page, NOW, &summary)); /* the first minute begins */
	pool_count_rehearsal(page, &(struct pool_life){.served = 10, .lived = 3000});
	pool_count_rehearsal(page, &(struct pool_life){.served = 20, .lived = 5000});
	ck_assert(!pool_take_summary(page, NOW + 59999, &summary));
	ck_assert(pool_take_summary(page, NOW + 60000, &summary));
	ck_assert_uint_eq(summary.span, 60000);
	ck_assert_uint_eq(summary.lives, 2);
	ck_assert_uint_eq(summary.connections, 30);
	ck_assert_uint_eq(summary.milliseconds, 8000);
	ck_assert(!pool_take_summary(page, NOW + 60001, &summary));
	ck_assert(pool_take_summary(page, NOW + 120001, &summary));
	ck_assert_uint_eq(summary.lives, 0);
}
END_TEST

/* Thirty processes at a time, each by its own reading of the clock, ask for leases that may be had
 * by five. */
START_TEST(lends_no_more_when_many_ask_at_once)
{
	enum { ASKING = 30, MOST = 5 };
	_Atomic unsigned *granted =
	    mmap(NULL, sizeof *granted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int start[2];

	ck_assert_int_eq(pipe(start), 0);
	for (int i = 0; i < ASKING; i++)
		if (fork() == 0) {
			char byte;

			close(start[1]);
			while (read(start[0], &byte, 1) > 0) /* until the parent closes its end */
				;
			for (int answer = 0; answer < 1000; answer++)
				*granted += lease(MOST, process_clock());
			_exit(0);
		}
	close(start[0]);
	close(start[1]);
	while (wait(NULL) > 0)
		;
	ck_assert_uint_eq(*granted, MOST);
}
END_TEST

/* While a newcomer fills the only lease, a worker that asks is told to wait or to go: never that
 * the vacancy stayed unfilled. */
START_TEST(newcomer_is_seen_at_any_moment)
{
	enum { ROUNDS = IS_SANITIZED ? 1000 : 10000 };
	struct pool_terms terms = {1, {.count = 2, .others = 1}, false, true, NOW, TIMEOUT};
	_Atomic unsigned *shared =
	    mmap(NULL, 2 * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	_Atomic unsigned *begun = shared, *ended = shared + 1;
	pid_t newcomers = fork();

	if (newcomers == 0) {
		for (unsigned i = 0; i < ROUNDS; i++) {
			while (*begun == i)
				sched_yield();
			fill_vacancy(TAG, NOW);
			*ended = i + 1;
		}
		_exit(0);
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		pool_find_word(page->trials, TAG)[0] = 0;
		ck_assert_int_eq(try_lease(2, 1, NOW), POOL_GO);
		*begun = i + 1;
		while (*ended == i)
			ck_assert_int_ne(pool_judge(page, TAG, &terms), POOL_UNFILLED);
		ck_assert_int_eq(pool_judge(page, TAG, &terms), POOL_GO);
	}
	ck_assert_int_eq(waitpid(newcomers, NULL, 0), newcomers);
}
END_TEST

/* Whatever stands in the page, every call comes back, and within bounds. */
START_TEST(survives_garbage)
{
	uint64_t *words = (uint64_t *)page, seed = 88172645463325252ull + (uint64_t)_i;

	for (size_t i = 0; i < sizeof *page / sizeof *words; i++) {
		seed ^= seed << 13; /* Marsaglia's xorshift64 */
		seed ^= seed >> 7;
		seed ^= seed << 17;
		words[i] = seed;
	}
	lease(POOL_LEASES + 1, NOW);
	fill_vacancy(TAG, NOW);
	ck_assert_uint_le(pool_count(page, TAG, getpid(), NOW, TIMEOUT, process_is_sibling).count,
	                  POOL_LEASES);
	ck_assert_int_lt(on_first_accept(TAG, getpid()), POOL_SLOTS);
	ck_assert(lease(POOL_LEASES, NOW + TIMEOUT));
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, open_page, close_page);
	tcase_add_test(tests, lends_no_more_than_allowed);
	tcase_add_test(tests, takes_back_what_is_past_its_deadline);
	tcase_add_test(tests, keeps_a_lease_from_an_earlier_clock);
	tcase_add_test(tests, rests_after_garbage);
	tcase_add_test(tests, newcomer_fills_the_first_vacancy);
	tcase_add_test(tests, newcomer_fills_one_vacancy);
	tcase_add_test(tests, newcomer_of_another_pool_fills_none);
	tcase_add_test(tests, worker_born_before_passes_no_trial);
	tcase_add_test(tests, worker_of_a_known_master_born_before_fills_no_vacancy);
	tcase_add_test(tests, unknown_master_gets_one_trial);
	tcase_add_test(tests, unknown_master_that_replaces_is_proven);
	tcase_add_test(tests, last_worker_of_an_unknown_master_stays);
	tcase_add_test(tests, knows_when_nothing_is_to_lend);
	tcase_add_test(tests, unfilled_vacancy_is_a_fuse);
	tcase_add_test(tests, unfilled_vacancy_is_a_fuse_of_a_proven_pool);
	tcase_add_test(tests, unfilled_vacancy_is_no_fuse_where_the_master_is_known);
	tcase_add_test(tests, last_worker_of_an_unknown_master_is_no_trial);
	tcase_add_test(tests, unsettled_pool_is_no_trial);
	tcase_add_test(tests, tells_the_youngest);
	tcase_add_test(tests, pools_have_their_own_leases);
	tcase_add_test(tests, counts_the_living_and_those_away);
	tcase_add_test(tests, counts_the_dead_as_away);
	tcase_add_test(tests, newcomer_takes_the_place_of_one_of_the_dead);
	tcase_add_test(tests, newcomer_of_a_known_master_fills_the_first_vacancy);
	tcase_add_test(tests, newcomer_for_one_of_the_dead_proves_nothing);
	tcase_add_test(tests, late_newcomer_for_one_of_the_dead_proves_nothing);
	tcase_add_test(tests, newcomer_born_before_the_trial_leaves_the_dead_to_others);
	tcase_add_test(tests, one_of_the_first_leaves_the_dead_to_others);
	tcase_add_test(tests, unfilled_vacancy_opens_the_trial_again);
	tcase_add_test(tests, fuse_lasts_without_its_lease);
	tcase_add_test(tests, newcomer_for_one_of_the_dead_is_not_the_youngest);
	tcase_add_test(tests, judges_before_a_slot_is_given_up);
	tcase_add_test(tests, lends_less_while_there_are_dead);
	tcase_add_test(tests, leaver_is_away_until_it_has_ended);
	tcase_add_test(tests, leaver_is_not_missed_once_it_is_replaced);
	tcase_add_test(tests, leaver_of_another_pool_is_not_missed);
	tcase_add_test(tests, has_a_slot_for_as_many_as_it_says);
	tcase_add_test(tests, claim_is_no_member);
	tcase_add_test(tests, claim_that_was_given_up_is_free);
	tcase_add_test(tests, one_looks_for_all);
	tcase_add_test(tests, look_that_never_ends_is_for_another);
	tcase_add_test(tests, looks_are_each_pools_own);
	tcase_add_test(tests, rests_no_longer_than_a_second);
	tcase_add_test(tests, counts_without_asking);
	tcase_add_test(tests, exit_spares_the_successor);
	tcase_add_test(tests, knows_who_has_a_slot_elsewhere);
	tcase_add_test(tests, says_a_thing_once);
	tcase_add_test(tests, knows_who_wants_it_more);
	tcase_add_test(tests, adds_up_what_the_others_have);
	tcase_add_test(tests, churns_after_short_lives_in_a_row);
	tcase_add_test(tests, sums_up_once_a_minute);
	tcase_add_test(tests, lends_no_more_when_many_ask_at_once);
	tcase_add_test(tests, newcomer_is_seen_at_any_moment);
	tcase_add_loop_test(tests, survives_garbage, 0, 100);
}
