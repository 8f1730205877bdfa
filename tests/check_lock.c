/* check_lock.c - which locks are suspected in a worker, and which things look like one and are
 * none.
 *
 * Every test runs in a process of its own; its child is the worker. */
#include "lock.h"

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

START_TEST(too_many_to_tell_apart_are_suspected)
{
	for (int i = 0; i < 100; i++)
		make_socketpair();
	ck_assert_int_ne(suspected_after(do_nothing), LOCK_NONE);
}
END_TEST

START_TEST(suspects_what_was_noted)
{
	lock_noted(LOCK_MUTEX);
	ck_assert_int_eq(suspected_after(do_nothing), LOCK_MUTEX);
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
	tcase_add_test(tests, too_many_to_tell_apart_are_suspected);
	tcase_add_test(tests, suspects_what_was_noted);
}
