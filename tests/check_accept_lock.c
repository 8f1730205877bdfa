/* check_accept_lock.c - which locks are suspected in a worker, and which things look like one and
 * are none.
 *
 * Every test runs in a process of its own; its child is the worker. */
#include "leave/accept_lock.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"

static int ends[2];

static void make_pipe(void)
{
	ck_assert_int_eq(pipe(ends), 0);
	lock_token_made(LOCK_PIPE, ends[0], ends[1]);
}

static void make_socketpair(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	lock_token_made(LOCK_SOCKETPAIR, ends[0], ends[1]);
}

static void make_eventfd(void)
{
	ends[0] = ends[1] = eventfd(1, EFD_SEMAPHORE);
	ck_assert_int_ge(ends[0], 0);
	lock_token_made(LOCK_EVENTFD, ends[0], ends[0]);
}

static void do_nothing(void)
{
}

static void close_one_end(void)
{
	close(ends[1]);
}

static void move_one_end(void)
{
	ck_assert_int_eq(dup2(ends[1], 200), 200);
	close(ends[1]);
}

/* What a child suspects that did this first. */
static enum lock suspected_after(void (*prepare)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		lock_born();
		prepare();
		_exit((int)lock_suspected());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return (enum lock)WEXITSTATUS(status);
}

static const struct {
	enum lock lock;
	void (*make)(void);
} tokens[] = {
    {LOCK_PIPE, make_pipe}, {LOCK_SOCKETPAIR, make_socketpair}, {LOCK_EVENTFD, make_eventfd}};

START_TEST(suspects_nothing_without_a_reason)
{
	ck_assert_int_eq(suspected_after(do_nothing), LOCK_NONE);
}
END_TEST

START_TEST(suspects_both_ends_of_what_the_master_made)
{
	tokens[_i].make();
	ck_assert_int_eq(suspected_after(do_nothing), tokens[_i].lock);
}
END_TEST

START_TEST(suspects_an_end_under_another_number)
{
	tokens[_i].make();
	ck_assert_int_eq(suspected_after(move_one_end), tokens[_i].lock);
}
END_TEST

START_TEST(one_end_is_no_token)
{
	tokens[_i].make();
	ck_assert_int_eq(suspected_after(close_one_end), LOCK_NONE);
}
END_TEST

START_TEST(what_a_worker_made_itself_is_no_token)
{
	ck_assert_int_eq(suspected_after(tokens[_i].make), LOCK_NONE);
}
END_TEST

/* Nobody told of its making: by a bare system call, or before an exec. */
START_TEST(suspects_a_pipe_of_unknown_making)
{
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(suspected_after(do_nothing), LOCK_PIPE);
}
END_TEST

static void open_fifo(void)
{
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_ge(open("fifo", O_RDWR), 0);
	unlink("fifo");
}

START_TEST(fifo_for_reading_and_writing_is_both_ends)
{
	open_fifo();
	ck_assert_int_eq(suspected_after(do_nothing), LOCK_PIPE);
}
END_TEST

static void make_and_close_many(void)
{
	for (int i = 0; i < 1000; i++) {
		make_pipe();
		close(ends[0]);
		close(ends[1]);
	}
	make_pipe();
}

START_TEST(pipes_that_came_and_went_are_forgotten)
{
	make_and_close_many();
	close(ends[0]);
	ck_assert_int_eq(suspected_after(make_and_close_many), LOCK_NONE);
}
END_TEST

enum { MANY = 200 };

static int many[MANY][2];

static void make_many(void)
{
	for (int i = 0; i < MANY; i++) {
		make_pipe();
		many[i][0] = ends[0];
		many[i][1] = ends[1];
	}
}

static void close_one_end_of_many(void)
{
	for (int i = 0; i < MANY; i++) {
		make_pipe();
		close(ends[i % 2]);
	}
}

static void close_other_ends(void)
{
	for (int i = 0; i < MANY; i++)
		close(many[i][i % 2]);
}

START_TEST(many_pipes_are_told_apart)
{
	close_one_end_of_many();
	ck_assert_int_eq(suspected_after(make_many), LOCK_NONE);
	tokens[_i].make();
	ck_assert_int_eq(suspected_after(make_many), tokens[_i].lock);
}
END_TEST

START_TEST(many_inherited_pipes_are_suspected_while_whole)
{
	make_many();
	ck_assert_int_eq(suspected_after(do_nothing), LOCK_PIPE);
	ck_assert_int_eq(suspected_after(close_other_ends), LOCK_NONE);
}
END_TEST

/* Beyond the numbers that are noted. */
START_TEST(suspects_a_socketpair_of_high_numbers)
{
	lock_token_made(LOCK_SOCKETPAIR, 70000, 70001);
	ck_assert_int_eq(lock_suspected(), LOCK_NONE);
	ck_assert_int_eq(suspected_after(do_nothing), LOCK_SOCKETPAIR);
}
END_TEST

static void make_and_close(void)
{
	make_pipe();
	close(ends[0]);
	close(ends[1]);
}

/* The worker made a pipe of its own, closed it, and what others made is under its numbers now. */
static void move_fifo_to_old_numbers(void)
{
	make_and_close();
	ck_assert_int_eq(open("fifo", O_RDONLY | O_NONBLOCK), ends[0]);
	ck_assert_int_eq(open("fifo", O_WRONLY), ends[1]);
}

static void copy_pipe_to_old_numbers(void)
{
	int inherited[2] = {ends[0], ends[1]};

	make_and_close();
	ck_assert_int_eq(dup2(inherited[0], ends[0]), ends[0]);
	ck_assert_int_eq(dup2(inherited[1], ends[1]), ends[1]);
}

static void (*const reuses[])(void) = {move_fifo_to_old_numbers, copy_pipe_to_old_numbers};

START_TEST(numbers_that_are_used_again_hide_nothing)
{
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	make_pipe();
	if (_i == 0)
		close(ends[0]);
	ck_assert_int_eq(suspected_after(reuses[_i]), LOCK_PIPE);
	unlink("fifo");
}
END_TEST

/* As servers do whose master keeps a channel to each worker. */
static void keep_an_end_of_each(void)
{
	int own;

	for (int i = 0; i < 20; i++) {
		make_socketpair();
		close(ends[1]);
	}
	make_socketpair();
	own = ends[1];
	close(ends[0]);
	ck_assert_int_ge(own, 0);
}

START_TEST(one_end_of_many_socketpairs_is_no_token)
{
	keep_an_end_of_each();
	ck_assert_int_eq(suspected_after(make_socketpair), LOCK_NONE);
}
END_TEST

static void make_grandchild(void)
{
	lock_born();
}

START_TEST(what_a_grandparent_made_is_suspected)
{
	tokens[_i].make();
	ck_assert_int_eq(suspected_after(make_grandchild), tokens[_i].lock);
}
END_TEST

static void be_the_last_generation(void)
{
	for (int i = 0; i < 10000; i++)
		lock_born();
	make_pipe();
}

START_TEST(after_too_many_generations_all_is_suspected)
{
	ck_assert_int_eq(suspected_after(be_the_last_generation), LOCK_PIPE);
}
END_TEST

static const enum lock noted[] = {LOCK_MUTEX, LOCK_SEMAPHORE, LOCK_SYSV_SEMAPHORE};

START_TEST(suspects_what_was_noted)
{
	lock_noted(noted[_i]);
	ck_assert_int_eq(suspected_after(do_nothing), noted[_i]);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, suspects_nothing_without_a_reason);
	add_for_each(tests, suspects_both_ends_of_what_the_master_made, tokens);
	add_for_each(tests, suspects_an_end_under_another_number, tokens);
	tcase_add_loop_test(tests, one_end_is_no_token, 0, 2); /* an eventfd has but one */
	add_for_each(tests, what_a_worker_made_itself_is_no_token, tokens);
	tcase_add_test(tests, suspects_a_pipe_of_unknown_making);
	tcase_add_test(tests, fifo_for_reading_and_writing_is_both_ends);
	tcase_add_test(tests, pipes_that_came_and_went_are_forgotten);
	add_for_each(tests, many_pipes_are_told_apart, tokens);
	tcase_add_test(tests, many_inherited_pipes_are_suspected_while_whole);
	tcase_add_test(tests, suspects_a_socketpair_of_high_numbers);
	add_for_each(tests, numbers_that_are_used_again_hide_nothing, reuses);
	tcase_add_test(tests, one_end_of_many_socketpairs_is_no_token);
	add_for_each(tests, what_a_grandparent_made_is_suspected, tokens);
	tcase_add_test(tests, after_too_many_generations_all_is_suspected);
	add_for_each(tests, suspects_what_was_noted, noted);
}
