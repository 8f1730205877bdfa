/* check_worker.c - whose child, whose listener, which connections: with real processes and
 * sockets, but without interposing: the tests say themselves what a hook would have said. */
#include "core/worker.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"

static int socket_pair[2], other_pair[2];

static void open_sockets(void)
{
	worker_start(0, 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, socket_pair), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, other_pair), 0);
}

/* fork() with the handlers that the library would have registered. */
static pid_t fork_worker(void)
{
	pid_t child;

	worker_before_fork();
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		worker_born(0);
	return child;
}

static int status_of(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int open_listener(void)
{
	struct sockaddr any = {.sa_family = AF_UNIX}; /* an abstract address of the kernel's choice */
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, &any, sizeof any.sa_family), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* --------------------------------------------------------------------- kin */

START_TEST(program_that_was_not_forked_is_no_worker)
{
	ck_assert_int_eq(worker_ineligibility(), WORKER_NOT_FORKED);
}
END_TEST

START_TEST(child_of_a_living_parent_is_a_worker)
{
	pid_t child = fork_worker();

	if (child == 0)
		_exit((int)worker_ineligibility());
	ck_assert_int_eq(status_of(child), WORKER_IS_ELIGIBLE);
}
END_TEST

START_TEST(who_was_started_is_a_worker_until_it_listens)
{
	worker_start(getppid(), 0);
	ck_assert(worker.is_started);
	ck_assert_int_eq(worker_ineligibility(), WORKER_IS_ELIGIBLE);
	worker_listens(open_listener());
	ck_assert_int_eq(worker_ineligibility(), WORKER_NOT_FORKED);
}
END_TEST

START_TEST(children_of_who_was_started_are_not_started)
{
	pid_t child;

	worker_start(getppid(), 0);
	child = fork_worker();
	if (child == 0) {
		worker_listens(open_listener());
		_exit(worker.is_started ? 255 : (int)worker_ineligibility());
	}
	ck_assert_int_eq(status_of(child), WORKER_IS_ELIGIBLE);
}
END_TEST

#ifndef POSIX_FLOOR /* it does not tell what others have open */
START_TEST(listener_that_the_parent_holds_too_is_shared)
{
	int listener = open_listener();
	pid_t child = fork_worker();

	if (child == 0) {
		worker_find_listeners();
		_exit(!worker_shares_listener_with(getppid()));
	}
	ck_assert_int_eq(status_of(child), 0);
	worker_find_listeners();
	close(listener);
	ck_assert(!worker_shares_listener_with(getpid()));
}
END_TEST
#endif

/* It would end with the worker, whoever counts its connections. */
START_TEST(own_listener_counts_wherever_it_accepts)
{
	pid_t child = fork_worker();

	if (child == 0) {
		int listener = open_listener();

		worker_listens(listener);
		worker_accepts_elsewhere(socket_pair[0]);
		if (worker_ineligibility() != WORKER_IS_ELIGIBLE)
			_exit(255);
		worker_accepts_elsewhere(listener);
		_exit((int)worker_ineligibility());
	}
	ck_assert_int_eq(status_of(child), WORKER_OWN_LISTENER);
}
END_TEST

/* The parent that forks once more, as a CGI's, stays the child of its own. */
START_TEST(own_children_do_not_change_the_parent)
{
	pid_t child = fork_worker();

	if (child == 0) {
		pid_t grandchild = fork_worker();

		if (grandchild == 0)
			_exit((int)worker_ineligibility());
		if (status_of(grandchild) != WORKER_IS_ELIGIBLE)
			_exit(99);
		_exit((int)worker_ineligibility());
	}
	ck_assert_int_eq(status_of(child), WORKER_IS_ELIGIBLE);
}
END_TEST

/* The end of a pipe would come too soon: a process closes its descriptors before its children get
 * another parent. */
START_TEST(daemon_is_an_orphan)
{
	int answer[2];
	char address = -1;

	ck_assert_int_eq(pipe(answer), 0);
	if (fork_worker() == 0) {
		pid_t parent = getpid();

		if (fork_worker() == 0) {
			while (getppid() == parent)
				sched_yield();
			address = (char)worker_ineligibility();
			_exit(write(answer[1], &address, 1) != 1);
		}
		_exit(0);
	}
	ck_assert_int_eq(read(answer[0], &address, 1), 1);
	ck_assert_int_eq(address, WORKER_ORPHAN);
}
END_TEST

START_TEST(process_without_handlers_is_not_the_one_described)
{
	pid_t child;

	worker_born(0);
	child = fork(); /* as _Fork or clone would, unseen */
	if (child == 0)
		_exit(worker_is_current());
	ck_assert_int_eq(status_of(child), 0);
	ck_assert(worker_is_current());
}
END_TEST

/* --------------------------------------------------------------- listeners */

START_TEST(inherited_listener_is_not_its_own)
{
	int listener = open_listener();
	pid_t child;

	ck_assert(!worker_has_listener());
	worker_listens(listener);
	ck_assert(worker_has_listener());
	child = fork_worker();
	if (child == 0) {
		worker_accepts_on(listener);
		_exit((int)worker_ineligibility());
	}
	ck_assert_int_eq(status_of(child), WORKER_IS_ELIGIBLE);
}
END_TEST

START_TEST(listener_that_it_made_is_its_own)
{
	pid_t child = fork_worker();

	if (child == 0) {
		int listener = open_listener();

		worker_listens(listener);
		worker_accepts_on(listener);
		_exit((int)worker_ineligibility());
	}
	ck_assert_int_eq(status_of(child), WORKER_OWN_LISTENER);
}
END_TEST

/* A descriptor whose listener was closed unseen may be any socket by now. */
START_TEST(closed_listener_is_forgotten)
{
	int listener = open_listener();

	worker_listens(listener);
	close(listener);
	ck_assert(!worker_has_listener());
	ck_assert_int_eq(dup2(socket_pair[0], listener), listener);
	ck_assert(!worker_has_listener());
}
END_TEST

START_TEST(listener_is_found_after_exec)
{
	int listener = open_listener();

	ck_assert_int_lt(listener, 64);
	worker_find_listeners();
	ck_assert(worker_has_listener());
}
END_TEST

/* Whichever of two shared listeners a worker comes to first, it is of the same pool. */
START_TEST(two_listeners_are_one_pool)
{
	int one = open_listener(), other = open_listener();
	pid_t child;

	worker_listens(one);
	worker_listens(other);
	child = fork_worker();
	if (child == 0) {
		file_id id = worker_common_listener(one);

		_exit(id != worker_common_listener(other) || id == 0);
	}
	ck_assert_int_eq(status_of(child), 0);
}
END_TEST

/* ... by whatever descriptor, in whatever order, and no others. */
START_TEST(names_the_listeners_that_are_waited_for)
{
	int one = open_listener(), other = open_listener(), last = open_listener();
	uint64_t both;

	worker_listens(one);
	worker_listens(other);
	worker_listens(last);
	both = worker_name_listener(one) + worker_name_listener(other);
	ck_assert(both == worker_name_listener(other) + worker_name_listener(one));
	ck_assert(both != worker_name_listener(one) + worker_name_listener(last));
	ck_assert(both != worker_name_listener(one) && worker_name_listener(one) != 0);
	ck_assert(worker_name_listener(one) == worker_name_socket(dup(one)));
	ck_assert(worker_name_listener(socket_pair[0]) == 0);
}
END_TEST

/* As many as descriptors: php-fpm has one for each pool. */
START_TEST(any_number_of_listeners_is_known)
{
	enum { MANY = 300 };
	int first = open_listener(), last = first;
	pid_t child;

	worker_listens(first);
	for (int i = 1; i < MANY; i++)
		worker_listens(last = open_listener());
	child = fork_worker();
	if (child == 0) {
		worker_accepts_on(last);
		_exit(!worker_knows_listener(first) || !worker_knows_listener(last) ||
		      worker_ineligibility() != WORKER_IS_ELIGIBLE ||
		      worker_common_listener(first) != worker_common_listener(last));
	}
	ck_assert_int_eq(status_of(child), 0);
}
END_TEST

START_TEST(listener_on_a_high_descriptor_is_not_known)
{
	struct rlimit limit = {WORKER_LISTENERS + 1, WORKER_LISTENERS + 1};
	pid_t child;

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return; /* only root may have as many everywhere */
	ck_assert_int_eq(dup2(open_listener(), WORKER_LISTENERS), WORKER_LISTENERS);
	worker_listens(WORKER_LISTENERS);
	child = fork_worker();
	if (child == 0) {
		worker_accepts_on(WORKER_LISTENERS);
		_exit(worker_ineligibility() != WORKER_UNKNOWN_LISTENER);
	}
	ck_assert_int_eq(status_of(child), 0);
}
END_TEST

/* ------------------------------------------------------------- connections */

START_TEST(follows_a_connection)
{
	int fd = socket_pair[0];

	ck_assert(!worker_tracks(fd) && !worker_tracks(-1) && !worker_tracks(1 << 30));
	worker_accepted(fd, true);
	ck_assert(worker_tracks(fd));
	ck_assert(worker_has_connections());
	ck_assert(worker_closes(fd));
	ck_assert(!worker_tracks(fd));
	ck_assert(!worker_closes(fd));
	ck_assert(!worker_has_connections());
	ck_assert_uint_eq(worker.life.served, 1);
}
END_TEST

/* A close by fclose, dup2 or a raw system call goes unseen, until one looks. */
START_TEST(notices_what_was_closed_behind_its_back)
{
	worker_accepted(socket_pair[0], true);
	worker_accepted(other_pair[0], true);
	close(socket_pair[0]);
	ck_assert(worker_has_connections());
	ck_assert_uint_eq(worker.open, 1);
	ck_assert_int_eq(dup2(socket_pair[1], other_pair[0]), other_pair[0]);
	ck_assert(!worker_has_connections());
}
END_TEST

/* Thousands may be open. */
START_TEST(looks_no_further_than_the_first_open_one)
{
	int first = socket_pair[0] < other_pair[0] ? socket_pair[0] : other_pair[0];
	int last = socket_pair[0] < other_pair[0] ? other_pair[0] : socket_pair[0];

	worker_accepted(first, true);
	worker_accepted(last, true);
	close(last);
	ck_assert(worker_has_connections());
	ck_assert_uint_eq(worker.open, 2);
}
END_TEST

START_TEST(takes_a_reused_descriptor_for_one_connection)
{
	int fd = socket_pair[0];

	worker_accepted(fd, true);
	ck_assert_int_eq(dup2(other_pair[0], fd), fd);
	worker_accepted(fd, true);
	ck_assert(worker_has_connections());
	ck_assert(worker_closes(fd));
	ck_assert(!worker_has_connections());
}
END_TEST

/* A CGI between fork and exec closes what it inherited; that is not the worker's close. */
START_TEST(close_in_a_child_changes_nothing)
{
	pid_t child;

	worker_accepted(socket_pair[0], true);
	child = fork_worker();
	if (child == 0)
		_exit(worker_tracks(socket_pair[0]) || worker_closes(socket_pair[0]));
	ck_assert_int_eq(status_of(child), 0);
	ck_assert(worker_has_connections());
}
END_TEST

START_TEST(close_in_a_vfork_child_changes_nothing)
{
	pid_t child;

	worker_accepted(socket_pair[0], true);
	child = vfork();
	if (child == 0) {
		worker_closes(socket_pair[0]); /* in the parent's memory */
		_exit(0);
	}
	ck_assert_int_eq(status_of(child), 0);
	ck_assert(worker_has_connections());
}
END_TEST

START_TEST(loses_track_beyond_its_table)
{
	pid_t child = fork_worker();

	if (child == 0) {
		worker_accepted(WORKER_DESCRIPTORS, true);
		_exit((int)worker_ineligibility());
	}
	ck_assert_int_eq(status_of(child), WORKER_LOST_TRACK);
}
END_TEST

static void *wait_for_listener(void *unused)
{
	worker_waits();
	return unused;
}

/* One thread may wait as often as it likes. */
START_TEST(notes_that_another_thread_waits)
{
	pthread_t other;

	worker_born(0);
	worker_waits();
	worker_waits();
	ck_assert(!worker.many_accept);
	pthread_create(&other, NULL, wait_for_listener, NULL);
	pthread_join(other, NULL);
	ck_assert(worker.many_accept);
	worker_born(0);
	ck_assert(!worker.many_accept);
	worker_waits();
	ck_assert(!worker.many_accept);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, open_sockets, NULL);
	tcase_add_test(tests, program_that_was_not_forked_is_no_worker);
	tcase_add_test(tests, child_of_a_living_parent_is_a_worker);
	tcase_add_test(tests, who_was_started_is_a_worker_until_it_listens);
	tcase_add_test(tests, children_of_who_was_started_are_not_started);
#ifndef POSIX_FLOOR
	tcase_add_test(tests, listener_that_the_parent_holds_too_is_shared);
#endif
	tcase_add_test(tests, own_listener_counts_wherever_it_accepts);
	tcase_add_test(tests, own_children_do_not_change_the_parent);
	tcase_add_test(tests, daemon_is_an_orphan);
	tcase_add_test(tests, process_without_handlers_is_not_the_one_described);
	tcase_add_test(tests, inherited_listener_is_not_its_own);
	tcase_add_test(tests, listener_that_it_made_is_its_own);
	tcase_add_test(tests, closed_listener_is_forgotten);
	tcase_add_test(tests, listener_is_found_after_exec);
	tcase_add_test(tests, two_listeners_are_one_pool);
	tcase_add_test(tests, names_the_listeners_that_are_waited_for);
	tcase_add_test(tests, any_number_of_listeners_is_known);
	tcase_add_test(tests, listener_on_a_high_descriptor_is_not_known);
	tcase_add_test(tests, follows_a_connection);
	tcase_add_test(tests, notices_what_was_closed_behind_its_back);
	tcase_add_test(tests, looks_no_further_than_the_first_open_one);
	tcase_add_test(tests, takes_a_reused_descriptor_for_one_connection);
	tcase_add_test(tests, close_in_a_child_changes_nothing);
	tcase_add_test(tests, close_in_a_vfork_child_changes_nothing);
	tcase_add_test(tests, loses_track_beyond_its_table);
	tcase_add_test(tests, notes_that_another_thread_waits);
}
