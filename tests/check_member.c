/* check_member.c - workers of one master that join its pool, want to leave and ask for their turn.
 * They are real processes, because the pool asks the kernel whether its members live. */
#include "pool/member.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/process.h"
#include "pool/slots.h"

#include "check_main.h"

enum { LISTENERS = 7, TIMEOUT = 10000 };

/* As a profile would have it, and as nobody would: one of them at a time. */
static const struct pool_rules vouched = {.max_leaving = 1,
                                          .master_is_vouched = true,
                                          .replaced_within = TIMEOUT},
                               unknown = {.max_leaving = 1, .replaced_within = TIMEOUT};

static struct pool_page *page;
static struct member member;

/* Born long ago: its master is not forking its first workers any more. */
static void begin(void)
{
	member_begin(&member, getpid(), getppid(), false, process_clock() - TIMEOUT);
}

static bool join(const struct pool_rules *rules)
{
	begin();
	return member_join(&member, page, rules, LISTENERS);
}

/* Has it served enough to have seen its parent accept? */
static struct member_request served(uint64_t connections)
{
	return (struct member_request){.now = process_clock(), .served = connections};
}

static enum pool_answer ask(void)
{
	struct member_request request = served(100);

	return member_ask(&member, page, &request);
}

static enum pool_answer look(void)
{
	struct member_request request = served(100);

	return member_look(&member, page, &request);
}

/* A worker that has joined, does this, and does nothing more. */
static pid_t start_worker(const struct pool_rules *rules, bool (*body)(void))
{
	int done[2];
	bool is_done;
	pid_t pid;

	ck_assert_int_eq(pipe(done), 0);
	pid = fork();
	if (pid == 0) {
		is_done = join(rules) && body();
		(void)!write(done[1], &is_done, sizeof is_done);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(done[0], &is_done, sizeof is_done), sizeof is_done);
	ck_assert(is_done);
	close(done[0]);
	close(done[1]);
	return pid;
}

static bool accepts(void)
{
	return true;
}

static pid_t start_sibling(const struct pool_rules *rules)
{
	return start_worker(rules, accepts);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* True as the worker's body is. */
static bool in_worker(bool (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body() ? 0 : 1);
	waitpid(pid, &status, 0);
	return status == 0;
}

static void make_page(void)
{
	page = pool_create();
	ck_assert_ptr_nonnull(page);
}

/* ---------------------------------------------------------------------- joining */

static bool joins_once(void)
{
	int slot;

	if (!join(&vouched))
		return false;
	slot = member.slot;
	return member_join(&member, page, &vouched, LISTENERS + 1) && member.slot == slot;
}

START_TEST(joins_one_pool_with_one_slot)
{
	make_page();
	ck_assert(in_worker(joins_once));
}
END_TEST

/* A subverted sibling writes over the slots. */
static bool takes_another_slot(void)
{
	join(&vouched);
	page->slots[member.slot].holder = 0;
	look();
	return pool_holds(page, member.slot, member.tag, getpid());
}

START_TEST(holds_a_slot_whatever_others_write)
{
	make_page();
	ck_assert(in_worker(takes_another_slot));
}
END_TEST

static bool may_before_it_joins(void)
{
	begin();
	return look() == POOL_GO;
}

START_TEST(looks_before_it_has_joined)
{
	make_page();
	ck_assert(in_worker(may_before_it_joins));
}
END_TEST

/* ---------------------------------------------------------------------- leaving */

/* Its lease is not filled yet when it asks a second time, as another one would. */
static bool leaves_and_the_next_waits(void)
{
	return join(&vouched) && look() == POOL_GO && ask() == POOL_GO && ask() == POOL_WAIT;
}

START_TEST(leaves_one_at_a_time)
{
	pid_t one;

	make_page();
	one = start_sibling(&vouched);
	ck_assert(in_worker(leaves_and_the_next_waits));
	end(one);
}
END_TEST

static bool is_alone(void)
{
	return join(&unknown) && ask() == POOL_ALONE;
}

START_TEST(stays_where_it_is_alone)
{
	make_page();
	ck_assert(in_worker(is_alone));
}
END_TEST

/* Whoever died counts as present until somebody has looked: the one that asks does. A place that is
 * not filled yet is a worker that is away. */
static bool waits_for_a_replacement(void)
{
	return join(&unknown) && ask() == POOL_WAIT;
}

START_TEST(stays_where_its_sibling_has_died)
{
	make_page();
	end(start_sibling(&unknown));
	ck_assert(in_worker(waits_for_a_replacement));
}
END_TEST

static bool is_tried(void)
{
	return join(&unknown) && ask() == POOL_GO;
}

static bool waits_after_trial(void)
{
	begin();
	member.born = 0; /* no newcomer */
	return member_join(&member, page, &unknown, LISTENERS) && ask() != POOL_GO;
}

START_TEST(leaves_once_on_trial)
{
	pid_t siblings[2];

	make_page();
	siblings[0] = start_sibling(&unknown);
	siblings[1] = start_sibling(&unknown);
	ck_assert(in_worker(is_tried));
	ck_assert(in_worker(waits_after_trial));
	end(siblings[0]);
	end(siblings[1]);
}
END_TEST

static bool waits_for_its_parent(void)
{
	struct member_request request = served(1);

	return join(&unknown) && member_ask(&member, page, &request) != POOL_GO;
}

/* Until then a parent that accepts, too, would not have been seen to. */
START_TEST(has_no_trial_before_it_has_served)
{
	pid_t sibling;

	make_page();
	sibling = start_sibling(&unknown);
	ck_assert(in_worker(waits_for_its_parent));
	end(sibling);
}
END_TEST

/* ---------------------------------------------------------------------- wanting */

static const struct pool_rules vouched_for_two = {
    .max_leaving = 2, .master_is_vouched = true, .replaced_within = TIMEOUT};

static bool lets_fatter_go_first(const struct pool_rules *rules, bool is_for_the_pool)
{
	pid_t pid;
	bool yields;

	join(rules);
	member_want(&member, page, 1, is_for_the_pool);
	pid = fork(); /* a member of the pool of this worker's parent, by name */
	if (pid == 0) {
		struct member fatter;

		member_begin(&fatter, getppid(), member.parent, false, member.born);
		member_join(&fatter, page, rules, LISTENERS);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	for (int i = 0; i < POOL_SLOTS; i++)
		if (i != member.slot && page->slots[i].holder != 0)
			page->slots[i].excess = page->slots[i].unshared = 1000;
	yields = ask() == POOL_WAIT && member.yields_since != 0;
	member_want(&member, page, 0, false);
	return yields && member.yields_since == 0;
}

static bool lets_fatter_have_the_lease(void)
{
	return lets_fatter_go_first(&vouched, false);
}

static bool takes_the_other_lease(void)
{
	return !lets_fatter_go_first(&vouched_for_two, false);
}

static bool waits_for_the_larger_one(void)
{
	return lets_fatter_go_first(&vouched_for_two, true);
}

static bool (*const of_wanting[])(void) = {lets_fatter_have_the_lease, takes_the_other_lease,
                                           waits_for_the_larger_one};

START_TEST(lets_those_go_first_that_want_it_more)
{
	pid_t sibling;

	make_page();
	sibling = start_sibling(&vouched);
	ck_assert(in_worker(of_wanting[_i]));
	end(sibling);
}
END_TEST

/* --------------------------------------------------------------------- draining */

/* After a mark that is made now has run out, and before one of then has. */
enum { LATER = TIMEOUT + 1 };

static bool begins_to_drain(void)
{
	struct member_request request = served(100);

	return member_begin_draining(&member, page, &request);
}

static bool goes_on_draining(void)
{
	bool has_begun = begins_to_drain();

	member_goes_on_draining(&member, page, process_clock() + LATER);
	return has_begun;
}

static bool ends_draining(void)
{
	bool has_begun = begins_to_drain();

	member_end_draining(&member, page);
	return has_begun;
}

/* What somebody else writes to the slots of the others. */
static void mark_others(uint64_t until)
{
	for (int i = 0; i < POOL_SLOTS; i++)
		if (i != member.slot && page->slots[i].holder != 0)
			page->slots[i].drains = until;
}

static uint64_t looks_after;

static bool has_company(void)
{
	return join(&vouched) && member_has_company(&member, page, process_clock() + looks_after);
}

static const struct {
	bool (*sibling)(void);
	uint64_t looks_after;
	bool is_company;
} companies[] = {
    {accepts, 0, true},
    {begins_to_drain, 0, false},
    {begins_to_drain, LATER, true},
    {goes_on_draining, LATER, false},
    {ends_draining, 0, true},
};

START_TEST(has_company_of_those_that_accept)
{
	pid_t sibling;

	make_page();
	looks_after = companies[_i].looks_after;
	ck_assert(!in_worker(has_company));
	sibling = start_worker(&vouched, companies[_i].sibling);
	ck_assert(in_worker(has_company) == companies[_i].is_company);
	end(sibling);
	ck_assert(!in_worker(has_company));
}
END_TEST

static bool cannot_drain(void)
{
	join(&vouched_for_two);
	return !begins_to_drain() && !member.drains && page->slots[member.slot].drains == 0;
}

/* It ends that, because its mark would outlive it until somebody searches for the dead. */
static bool can_drain(void)
{
	bool is_marked;

	join(&vouched_for_two);
	is_marked =
	    begins_to_drain() && member.drains && page->slots[member.slot].drains > process_clock();
	member_end_draining(&member, page);
	return is_marked && !member.drains && page->slots[member.slot].drains == 0;
}

/* Those that do not drain, and those that do no longer, do not count. */
START_TEST(drains_if_not_too_many_do)
{
	pid_t siblings[4];

	make_page();
	siblings[0] = start_worker(&vouched_for_two, accepts);
	siblings[1] = start_worker(&vouched_for_two, ends_draining);
	siblings[2] = start_worker(&vouched_for_two, begins_to_drain);
	ck_assert(in_worker(can_drain));
	siblings[3] = start_worker(&vouched_for_two, begins_to_drain);
	ck_assert(in_worker(cannot_drain));
	for (int i = 0; i < 4; i++)
		end(siblings[i]);
}
END_TEST

static bool drains_after_a_search(void)
{
	struct member_request request = served(100);

	request.now += looks_after;
	return join(&vouched) && member_begin_draining(&member, page, &request);
}

/* Searches for the dead are a second apart at most, so one is due each time. Of two vacancies the
 * one that asks fills but one. */
START_TEST(drains_where_others_have_died_of_it)
{
	pid_t siblings[2];

	make_page();
	siblings[0] = start_worker(&vouched_for_two, begins_to_drain);
	siblings[1] = start_worker(&vouched_for_two, begins_to_drain);
	looks_after = 2000;
	ck_assert(!in_worker(drains_after_a_search));
	end(siblings[0]);
	end(siblings[1]);
	looks_after = 4000;
	ck_assert(in_worker(drains_after_a_search));
}
END_TEST

static bool believes_no_mark_that_has_run_out(void)
{
	join(&vouched);
	mark_others(process_clock());
	return member_has_company(&member, page, process_clock()) && begins_to_drain();
}

static bool believes_no_mark_that_is_too_far_ahead(void)
{
	join(&vouched);
	mark_others(process_clock() + 2 * TIMEOUT);
	if (!member_has_company(&member, page, process_clock()) || !begins_to_drain())
		return false;
	mark_others(UINT64_MAX);
	return member_has_company(&member, page, process_clock()) && begins_to_drain();
}

START_TEST(believes_possible_marks_only)
{
	pid_t sibling;

	make_page();
	sibling = start_sibling(&vouched);
	ck_assert(in_worker(believes_no_mark_that_has_run_out));
	ck_assert(in_worker(believes_no_mark_that_is_too_far_ahead));
	end(sibling);
}
END_TEST

/* Another process has overwritten its slot. */
static bool writes_to_its_own_slot(void)
{
	join(&vouched);
	page->slots[member.slot].holder++;
	begins_to_drain();
	return page->slots[member.slot].drains == 0;
}

START_TEST(marks_no_slot_that_another_one_holds)
{
	make_page();
	ck_assert(in_worker(writes_to_its_own_slot));
}
END_TEST

static bool may_leave(void)
{
	return join(&vouched) && ask() == POOL_GO;
}

static bool has_to_wait(void)
{
	return join(&vouched) && ask() == POOL_WAIT;
}

static bool may_leave_later(void)
{
	struct member_request request = served(100);

	request.now += LATER;
	return join(&vouched) && member_ask(&member, page, &request) == POOL_GO;
}

/* Whoever drains may begin to accept again only when its time is over. */
START_TEST(stays_where_the_others_drain)
{
	pid_t sibling;

	make_page();
	sibling = start_worker(&vouched, begins_to_drain);
	ck_assert(in_worker(has_to_wait));
	ck_assert(in_worker(may_leave_later));
	end(sibling);
}
END_TEST

START_TEST(leaves_where_another_one_accepts)
{
	pid_t siblings[2];

	make_page();
	siblings[0] = start_worker(&vouched, begins_to_drain);
	siblings[1] = start_worker(&vouched, accepts);
	ck_assert(in_worker(may_leave));
	end(siblings[0]);
	end(siblings[1]);
}
END_TEST

/* It accepts nothing that would be missed. */
static bool leaves_when_drained(void)
{
	return join(&vouched_for_two) && begins_to_drain() && ask() == POOL_GO;
}

START_TEST(leaves_when_it_drains_itself)
{
	pid_t sibling;

	make_page();
	sibling = start_worker(&vouched_for_two, begins_to_drain);
	ck_assert(in_worker(leaves_when_drained));
	end(sibling);
}
END_TEST

/* ----------------------------------------------------------------------- parents */

static int listener;

static bool has_accepting_parent(void)
{
	begin();
	return member_has_accepting_parent(&member, page, listener);
}

START_TEST(is_told_of_a_parent_that_accepts)
{
	struct member parent;

	make_page();
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert(!in_worker(has_accepting_parent));
	member_begin(&parent, getpid(), getppid(), false, 0);
	member_register_accepting_parent(&parent, page, listener);
	ck_assert(in_worker(has_accepting_parent));
}
END_TEST

static bool becomes_a_master(void)
{
	struct member child;
	bool had;

	begin();
	had = member_has_workers(&member, page);
	member_begin(&child, getpid(), getpid(), true, process_clock());
	member_join(&child, page, &unknown, LISTENERS);
	return !had && member_has_workers(&member, page);
}

START_TEST(is_told_of_children_that_are_workers)
{
	make_page();
	ck_assert(in_worker(becomes_a_master));
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, joins_one_pool_with_one_slot);
	tcase_add_test(tests, holds_a_slot_whatever_others_write);
	tcase_add_test(tests, looks_before_it_has_joined);
	tcase_add_test(tests, leaves_one_at_a_time);
	tcase_add_test(tests, stays_where_it_is_alone);
	tcase_add_test(tests, stays_where_its_sibling_has_died);
	tcase_add_test(tests, leaves_once_on_trial);
	tcase_add_test(tests, has_no_trial_before_it_has_served);
	tcase_add_loop_test(tests, lets_those_go_first_that_want_it_more, 0,
	                    sizeof of_wanting / sizeof *of_wanting);
	add_for_each(tests, has_company_of_those_that_accept, companies);
	tcase_add_test(tests, drains_if_not_too_many_do);
	tcase_add_test(tests, drains_where_others_have_died_of_it);
	tcase_add_test(tests, believes_possible_marks_only);
	tcase_add_test(tests, marks_no_slot_that_another_one_holds);
	tcase_add_test(tests, stays_where_the_others_drain);
	tcase_add_test(tests, leaves_where_another_one_accepts);
	tcase_add_test(tests, leaves_when_it_drains_itself);
	tcase_add_test(tests, is_told_of_a_parent_that_accepts);
	tcase_add_test(tests, is_told_of_children_that_are_workers);
}
