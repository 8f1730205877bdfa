/* check_log.c - lines, and what stands behind the descriptors that they go to: whoever blocks in a
 * test, or is stopped or killed by a signal, fails it. */
#define _GNU_SOURCE
#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check_main.h"

enum { MANY = 4000, NOBODY = 65534 };

static char directory[64], path[96], other_path[96];
static struct log_losses lost;
static struct mailbox mailbox;

static void make_directory(void)
{
	strcpy(directory, "/tmp/check_log.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/log", directory);
	snprintf(other_path, sizeof other_path, "%s/log.1", directory);
}

static void remove_directory(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static void say(const char *text)
{
	struct line line;

	line_start(&line);
	line_text(&line, text);
	log_write(&line);
}

/* Its own count and mailbox, as a page would have them. */
static void start(enum log_target target, const char *where)
{
	lost = (struct log_losses){0, 0};
	memset(&mailbox, 0, sizeof mailbox);
	log_remember_standard_error();
	log_start(target, where);
	log_share(&lost, &mailbox);
}

static void start_file(void)
{
	start(LOG_FILE, path);
	ck_assert_int_eq(log_open(), 0);
}

/* What can be read now, without the times. */
static const char *read_lines(int fd)
{
	static char text[1 << 20];
	ssize_t got;
	size_t length = 0;
	char *to = text;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	for (const char *from = text; *from != '\0';) {
		ck_assert_ptr_nonnull(strchr(from, 'Z'));
		ck_assert_int_eq(strncmp(from + 24, " slshim: ", 9), 0);
		for (from += 33; *from != '\0' && (*to++ = *from++) != '\n';)
			;
	}
	*to = '\0';
	return text;
}

static const char *read_log(const char *which)
{
	int fd = open(which, O_RDONLY);
	const char *text = read_lines(fd);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return text;
}

static unsigned count_lines(const char *text)
{
	unsigned count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

static void be_nobody(void)
{
	ck_assert_int_eq(setegid(NOBODY), 0);
	ck_assert_int_eq(seteuid(NOBODY), 0);
}

static void be_oneself_again(void)
{
	ck_assert_int_eq(seteuid(getuid()), 0);
}

/* Of descriptor 2, which the test's own messages do not need. */
static void become_standard_error(int fd)
{
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
}

static void expect_lost_told(const char *text, unsigned count)
{
	char expected[96];

	snprintf(expected, sizeof expected, "late (%u line%s before this one %s lost)\n", count,
	         count == 1 ? "" : "s", count == 1 ? "was" : "were");
	ck_assert_ptr_nonnull(strstr(text, expected));
	ck_assert_uint_eq(lost.untold, 0);
}

/* More than anything takes that nobody reads; some are lost. */
static void say_too_much(void)
{
	for (int i = 0; i < MANY; i++)
		say("a line of some length, as those are that tell why a worker leaves");
	ck_assert_uint_gt(lost.untold, 0);
	ck_assert_uint_lt(lost.untold, MANY);
}

static unsigned say_too_much_and_read(int reader)
{
	const char *text;
	unsigned dropped, came;

	say_too_much();
	dropped = lost.untold;
	text = read_lines(reader);
	came = count_lines(text);
	say("late");
	expect_lost_told(read_lines(reader), dropped);
	return came + dropped;
}

/* --------------------------------------------------------------------- files */

START_TEST(writes_lines_to_a_file)
{
	sigset_t before, after;

	sigprocmask(SIG_BLOCK, NULL, &before);
	start_file();
	errno = 1234;
	say("one");
	say("two");
	ck_assert_int_eq(errno, 1234);
	ck_assert_str_eq(read_log(path), "one\ntwo\n");
	sigprocmask(SIG_BLOCK, NULL, &after);
	for (int number = 1; number < 32; number++)
		ck_assert_int_eq(sigismember(&before, number), sigismember(&after, number));
}
END_TEST

START_TEST(writes_the_longest_line)
{
	char text[LINE_SIZE + 10];
	const char *found;

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	start_file();
	say(text);
	say("next");
	found = read_log(path);
	ck_assert_uint_eq(strspn(found, "x"), LINE_SIZE - 1);
	ck_assert_str_eq(found + LINE_SIZE - 1, "\nnext\n");
}
END_TEST

/* A directory, a socket, a block device, nothing: standard error is used. */
START_TEST(refuses_what_is_no_log)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int ends[2], socket_made = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(socket_made, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(pipe(ends), 0);
	become_standard_error(ends[1]);
	start(LOG_FILE, directory);
	ck_assert_int_eq(log_open(), EISDIR);
	start(LOG_FILE, path);
	ck_assert_int_eq(log_open(), ENXIO);
	start(LOG_FILE, "/nowhere/log");
	ck_assert_int_eq(log_open(), ENOENT);
	say("instead");
	ck_assert_str_eq(read_lines(ends[0]), "instead\n");
	if (mknod(other_path, S_IFBLK | 0600, 0x700) == 0) { /* of a loop device */
		start(LOG_FILE, other_path);
		ck_assert_int_ne(log_open(), 0);
	}
}
END_TEST

START_TEST(drops_what_a_full_disk_does_not_take)
{
	start(LOG_FILE, "/dev/full");
	ck_assert_int_eq(log_open(), 0);
	say("one");
	say("two");
	ck_assert_uint_eq(lost.untold, 2);
}
END_TEST

static void expect_pending(int number, bool expected)
{
	sigset_t pending;

	ck_assert_int_eq(sigpending(&pending), 0);
	ck_assert_int_eq(sigismember(&pending, number), expected);
}

static void block(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* As it is by default, blocked, and blocked while it is pending for the thread or the process. */
enum { BY_DEFAULT, BLOCKED, PENDING, PENDING_FOR_ALL, SIGNAL_STATES };

static void prepare_signal(int state, int number)
{
	if (state >= BLOCKED)
		block(number);
	if (state == PENDING)
		raise(number);
	else if (state == PENDING_FOR_ALL)
		kill(getpid(), number);
}

START_TEST(survives_a_limit_of_file_size)
{
	struct rlimit limit = {.rlim_cur = 50, .rlim_max = RLIM_INFINITY};
	char text[512] = "";

	prepare_signal(_i, SIGXFSZ);
	start_file();
	setrlimit(RLIMIT_FSIZE, &limit);
	say("one");
	say("two"); /* the limit is in it */
	say("three");
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	expect_pending(SIGXFSZ, _i >= PENDING);
	ck_assert_uint_eq(lost.untold, 2);
	say("late");
	ck_assert_uint_eq(lost.untold, 0);
	ck_assert_int_eq(fread(text, 1, sizeof text - 1, fopen(path, "r")) > 100, 1);
	ck_assert_ptr_nonnull(strstr(text, "one\n2")); /* cut off in "two" */
	ck_assert_ptr_nonnull(strstr(text, "late (2 lines before this one were lost)\n"));
}
END_TEST

/* --------------------------------------------------------------------- FIFOs */

START_TEST(goes_on_without_a_reader_of_its_fifo)
{
	char text[16];
	int reader;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	start_file();
	say("one");
	say("two");
	log_tend();
	reader = open(path, O_RDONLY | O_NONBLOCK);
	say("late");
	expect_lost_told(read_lines(reader), 2);
	close(reader);
	say("three");
	reader = open(path, O_RDONLY | O_NONBLOCK);
	say("late");
	expect_lost_told(read_lines(reader), 1);
	ck_assert_int_eq(read(reader, text, sizeof text), 0);
	log_tend(); /* from now on it does not end with each line */
	say("four");
	ck_assert_str_eq(read_lines(reader), "four\n");
	ck_assert_int_eq(read(reader, text, sizeof text), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(goes_on_when_its_file_becomes_a_fifo)
{
	start_file();
	say("one");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	say("two");
	ck_assert_uint_eq(lost.untold, 1);
}
END_TEST

START_TEST(drops_what_a_full_fifo_does_not_take)
{
	int reader;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	start_file();
	ck_assert_uint_eq(say_too_much_and_read(reader), MANY);
}
END_TEST

/* ------------------------------------------------------------- standard error */

/* Written to without waiting; opened anew; neither allowed. */
enum { A_PIPE, A_FIFO, A_FIFO_OF_OTHERS, PIPES };

static void open_pipe(int kind, int ends[2])
{
	if (kind == A_PIPE) {
		ck_assert_int_eq(pipe(ends), 0);
		return;
	}
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ends[0] = open(path, O_RDONLY | O_NONBLOCK);
	ends[1] = open(path, O_WRONLY);
	if (kind == A_FIFO_OF_OTHERS)
		be_nobody();
}

static bool is_not_allowed(int kind)
{
	return kind == A_FIFO_OF_OTHERS && geteuid() != 0;
}

START_TEST(drops_what_a_full_pipe_does_not_take)
{
	int ends[2], flags;

	if (is_not_allowed(_i))
		return;
	open_pipe(_i, ends);
	become_standard_error(ends[1]);
	start(LOG_STDERR, "");
	flags = fcntl(STDERR_FILENO, F_GETFL);
	ck_assert_uint_eq(say_too_much_and_read(ends[0]), MANY);
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL), flags);
	be_oneself_again();
}
END_TEST

START_TEST(survives_a_pipe_without_a_reader)
{
	int ends[2], kind = _i / SIGNAL_STATES, state = _i % SIGNAL_STATES;

	if (is_not_allowed(kind))
		return;
	open_pipe(kind, ends);
	become_standard_error(ends[1]);
	start(LOG_STDERR, "");
	say("one");
	ck_assert_str_eq(read_lines(ends[0]), "one\n");
	close(ends[0]);
	prepare_signal(state, SIGPIPE);
	say("two");
	say("three");
	expect_pending(SIGPIPE, state >= PENDING);
	ck_assert_uint_eq(lost.untold, 2);
	be_oneself_again();
}
END_TEST

START_TEST(drops_what_a_full_socket_does_not_take)
{
	int ends[2], flags;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	become_standard_error(ends[1]);
	start(LOG_STDERR, "");
	flags = fcntl(STDERR_FILENO, F_GETFL);
	say_too_much();
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL), flags);
	close(ends[0]);
	lost = (struct log_losses){0, 0};
	say("after its end");
	ck_assert_uint_eq(lost.untold, 1);
}
END_TEST

static int open_terminal(int *master)
{
	int terminal;

	*master = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert_int_eq(grantpt(*master), 0);
	ck_assert_int_eq(unlockpt(*master), 0);
	terminal = open(ptsname(*master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(terminal, 0);
	return terminal;
}

/* Also of one whose terminal it may not open anew. */
START_TEST(drops_what_a_terminal_that_nobody_reads_does_not_take)
{
	int master, terminal = open_terminal(&master), flags;

	if (_i == 1 && geteuid() != 0)
		return;
	become_standard_error(terminal);
	if (_i == 1) {
		ck_assert_int_eq(fchmod(terminal, 0), 0);
		be_nobody();
	}
	flags = fcntl(STDERR_FILENO, F_GETFL);
	start(LOG_STDERR, "");
	say_too_much();
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL), flags);
	be_oneself_again();
}
END_TEST

static void work_in_the_background(int state)
{
	setpgid(0, 0);
	prepare_signal(state, SIGTTOU);
	say("one");
	_exit(lost.untold != 0);
}

/* Returns the status of a job in the background of this terminal, by the session that has it. */
static int run_job(int terminal, int state)
{
	struct termios settings;
	int status = -1;
	pid_t job;

	if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) != 0)
		return -1;
	tcgetattr(terminal, &settings);
	settings.c_lflag |= TOSTOP;
	tcsetattr(terminal, TCSANOW, &settings);
	job = fork();
	if (job == 0)
		work_in_the_background(state);
	setpgid(job, job);
	waitpid(job, &status, WUNTRACED);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Of a terminal that stops whoever writes to it from there. */
START_TEST(is_not_stopped_in_the_background)
{
	int master, terminal = open_terminal(&master), status;
	char text[256] = "";
	pid_t session;

	become_standard_error(terminal);
	start(LOG_STDERR, "");
	session = fork();
	if (session == 0)
		_exit(run_job(terminal, _i) != 0);
	ck_assert_int_eq(waitpid(session, &status, 0), session);
	ck_assert_int_eq(status, 0);
	ck_assert_int_gt(read(master, text, sizeof text - 1), 0);
	ck_assert_ptr_nonnull(strstr(text, "slshim: one"));
}
END_TEST

/* A daemon closes it, and opens something else. */
START_TEST(leaves_alone_what_lands_on_its_number)
{
	int ends[2];

	become_standard_error(open("/dev/null", O_WRONLY));
	start(LOG_STDERR, "");
	close(STDERR_FILENO);
	if (_i == 0) {
		ck_assert_int_eq(open(path, O_WRONLY | O_APPEND | O_CREAT, 0600), STDERR_FILENO);
	} else {
		ck_assert_int_eq(_i == 1 ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		become_standard_error(ends[1]); /* by no hook: this program has none */
	}
	say("one");
	ck_assert_str_eq(_i == 0 ? read_log(path) : read_lines(ends[0]), "");
	ck_assert(mailbox_has_some(&mailbox));
	log_share(&lost, NULL);
	say("two");
	ck_assert_uint_eq(lost.untold, 1);
}
END_TEST

static int open_end(int ends[2])
{
	return ends[1];
}

/* What a server puts there by dup2(), and whether it is written to. */
START_TEST(follows_a_log_that_is_put_there)
{
	int at_start[2], ends[2], sockets[2], master;
	int start_end, with, without, pipe_end, socket_end, terminal;
	struct line line;
	uint64_t age;

	ck_assert_int_eq(pipe(at_start), 0);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	start_end = open_end(at_start);
	pipe_end = open_end(ends);
	socket_end = open_end(sockets);
	with = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	without = open(other_path, O_WRONLY | O_CREAT, 0600);
	terminal = open_terminal(&master);
	const struct {
		int fd;
		bool is_log;
	} put[] = {{with, true},      {without, false}, {terminal, true},
	           {pipe_end, false}, {with, true},     {socket_end, false},
	           {start_end, true}, {with, true},     {open("/dev/null", O_WRONLY), false},
	           {start_end, true}};

	become_standard_error(start_end);
	start(LOG_STDERR, "");
	for (size_t i = 0; i < sizeof put / sizeof *put; i++) {
		become_standard_error(put[i].fd);
		errno = 1234;
		log_standard_error_replaced();
		ck_assert_int_eq(errno, 1234);
		say("line");
		ck_assert_int_eq(mailbox_take(&mailbox, UINT64_MAX / 8, &line, &age), !put[i].is_log);
	}
	ck_assert_uint_eq(lost.untold, 0);
	ck_assert_str_eq(read_log(path), "line\nline\nline\n");
	ck_assert_str_eq(read_lines(at_start[0]), "line\nline\n");
	ck_assert_str_eq(read_log(other_path), "");
	ck_assert_str_eq(read_lines(ends[0]), "");
	ck_assert_str_eq(read_lines(sockets[0]), "");
}
END_TEST

/* ------------------------------------------------------------------ rotation */

/* A directory that workers may not look into, and a log that they may not open. */
static void start_out_of_reach(void)
{
	start_file();
	ck_assert_int_eq(chmod(directory, 0700), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

static void rotate(void)
{
	ck_assert_int_eq(rename(path, other_path), 0);
	ck_assert_int_ge(open(path, O_CREAT | O_WRONLY, 0600), 0);
}

static void say_as_nobody(const char *text)
{
	be_nobody();
	say(text);
	be_oneself_again();
}

START_TEST(leaves_a_rotated_log_behind)
{
	start_file();
	say("one");
	rotate();
	say("two");
	ck_assert_str_eq(read_log(other_path), "one\n");
	ck_assert_str_eq(read_log(path), "two\n");
}
END_TEST

START_TEST(leaves_a_rotated_log_behind_that_it_may_not_open)
{
	if (geteuid() != 0)
		return;
	start_out_of_reach();
	say_as_nobody("one");
	ck_assert(!mailbox_has_some(&mailbox));
	if (_i == 0)
		rotate();
	else /* deleted; the master creates it */
		ck_assert_int_eq(rename(path, other_path), 0);
	say_as_nobody("two");
	say_as_nobody("three");
	ck_assert(mailbox_has_some(&mailbox));
	log_tend();
	ck_assert(!mailbox_has_some(&mailbox));
	say_as_nobody("four"); /* as whoever is forked from now on */
	ck_assert(!mailbox_has_some(&mailbox));
	ck_assert_str_eq(read_log(other_path), "one\n");
	ck_assert_str_eq(read_log(path), "two\nthree\nfour\n");
}
END_TEST

/* Better there than nowhere. */
START_TEST(writes_to_the_rotated_log_where_nobody_can_help)
{
	char expected[64] = "";
	int left = _i == 0 ? 0 : MAILBOX_ENTRIES;

	if (geteuid() != 0)
		return;
	start_out_of_reach();
	log_share(&lost, _i == 0 ? NULL : &mailbox);
	rotate();
	for (int i = 0; i < left; i++) {
		say_as_nobody("x");
		strcat(expected, "x\n");
	}
	say_as_nobody("two");
	ck_assert_str_eq(read_log(other_path), "two\n");
	log_tend();
	ck_assert_str_eq(read_log(path), expected);
	ck_assert_uint_eq(lost.untold, 0);
}
END_TEST

/* A line that waited is as old as it is, and stays one line. */
START_TEST(writes_what_waits)
{
	char text[256];
	struct timespec now;
	char today[LINE_TIME_SIZE];
	FILE *file;

	start_file();
	mailbox_post(&mailbox, 0, "at\nboot\033\302\233");
	log_tend();
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof text, file));
	ck_assert_ptr_nonnull(strstr(text, " slshim: at?boot???\n"));
	clock_gettime(CLOCK_REALTIME, &now);
	line_format_time(today, &now);
	ck_assert_int_lt(strncmp(text, today, 19), 0);
	ck_assert_ptr_null(fgets(text, sizeof text, file));
	fclose(file);
}
END_TEST

/* Whatever its number is by now. */
START_TEST(does_not_write_to_what_took_the_number_of_its_file)
{
	int kept = 64, other;

	if (geteuid() != 0)
		return;
	start_out_of_reach();
	ck_assert_int_eq(fcntl(kept, F_GETFD), FD_CLOEXEC);
	other = open(other_path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	ck_assert_int_eq(dup2(other, kept), kept);
	say_as_nobody("one");
	ck_assert_str_eq(read_log(other_path), "");
	log_tend();
	ck_assert_int_ne(fcntl(kept, F_GETFD), -1); /* it is not ours */
	say_as_nobody("two");
	ck_assert_str_eq(read_log(other_path), "");
	ck_assert_str_eq(read_log(path), "one\ntwo\n");
}
END_TEST

START_TEST(keeps_none_of_few_descriptors)
{
	struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};
	int before = dup(0), after;

	close(before);
	setrlimit(RLIMIT_NOFILE, &few);
	start_file();
	say("one");
	log_tend();
	after = dup(0);
	ck_assert_int_eq(after, before);
	ck_assert_str_eq(read_log(path), "one\n");
}
END_TEST

/* -------------------------------------------------------------------- syslog */

static int open_syslog(int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 0), 0);
	start(LOG_SYSLOG, path);
	return fd;
}

START_TEST(writes_to_syslog)
{
	int fd = open_syslog(_i == 0 ? SOCK_DGRAM : SOCK_STREAM), connection;
	char text[256] = "";

	say("one");
	connection = _i == 0 ? fd : accept(fd, NULL, NULL);
	ck_assert_int_eq(recv(connection, text, sizeof text, 0), 15 + _i); /* a NUL on a stream */
	ck_assert_int_eq(memcmp(text, "<29>slshim: one", 16), 0);
	ck_assert_uint_eq(lost.untold, 0);
}
END_TEST

START_TEST(drops_what_a_stuck_syslog_does_not_take)
{
	int fd = open_syslog(_i == 0 ? SOCK_DGRAM : SOCK_STREAM);

	say_too_much();
	close(fd);
	lost = (struct log_losses){0, 0};
	say("when it has gone");
	ck_assert_uint_eq(lost.untold, 1);
	unlink(path);
	say("to whom it may reach");
	ck_assert(mailbox_has_some(&mailbox));
	log_tend();
	ck_assert(mailbox_has_some(&mailbox));
	fd = open_syslog(SOCK_DGRAM);
}
END_TEST

/* As after a chroot: the master has it. */
START_TEST(reaches_a_syslog_through_others)
{
	char text[256] = "";
	int fd;

	start(LOG_SYSLOG, path);
	say("one");
	log_tend();
	ck_assert_uint_eq(lost.untold, 0);
	close(open_syslog(SOCK_DGRAM)); /* starts anew */
	unlink(path);
	say("two");
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	log_tend();
	ck_assert_int_gt(recv(fd, text, sizeof text, MSG_DONTWAIT), 0);
	ck_assert_int_eq(strncmp(text, "<29>slshim: two", 15), 0);
}
END_TEST

/* -------------------------------------------------------------------- others */

START_TEST(counts_with_those_who_share)
{
	lost.untold = 5;
	log_remember_standard_error();
	log_start(LOG_FILE, "/dev/full");
	say("one");
	say("two");
	log_share(&lost, NULL);
	ck_assert_uint_eq(lost.untold, 7);
	say("three");
	ck_assert_uint_eq(lost.untold, 8);
	ck_assert_uint_eq(lost.in_all, 3); /* that this process lost */
}
END_TEST

static _Atomic bool went_on;

static void *say_while_cancelled(void *nothing)
{
	pthread_cancel(pthread_self());
	say("one");
	log_tend();
	went_on = true;
	pthread_testcancel();
	return nothing;
}

/* Were it cancelled within, a descriptor would stay open and all signals blocked. */
START_TEST(is_no_cancellation_point)
{
	pthread_t thread;
	void *result;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	become_standard_error(ends[1]);
	if (_i == 0)
		start_file();
	else if (_i == 1)
		open_syslog(SOCK_DGRAM);
	else
		start(LOG_STDERR, "");
	mailbox_post(&mailbox, 0, "waits");
	pthread_create(&thread, NULL, say_while_cancelled, NULL);
	pthread_join(thread, &result);
	ck_assert(went_on);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert(!mailbox_has_some(&mailbox));
}
END_TEST

START_TEST(is_off)
{
	start(LOG_OFF, "");
	say("one");
	log_tend();
	ck_assert_uint_eq(lost.untold, 0);
	ck_assert(!mailbox_has_some(&mailbox));
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, make_directory, remove_directory);
	tcase_add_test(tests, writes_lines_to_a_file);
	tcase_add_test(tests, writes_the_longest_line);
	tcase_add_test(tests, refuses_what_is_no_log);
	tcase_add_test(tests, drops_what_a_full_disk_does_not_take);
	tcase_add_loop_test(tests, survives_a_limit_of_file_size, 0, SIGNAL_STATES);
	tcase_add_test(tests, goes_on_without_a_reader_of_its_fifo);
	tcase_add_test(tests, goes_on_when_its_file_becomes_a_fifo);
	tcase_add_test(tests, drops_what_a_full_fifo_does_not_take);
	tcase_add_loop_test(tests, drops_what_a_full_pipe_does_not_take, 0, PIPES);
	tcase_add_loop_test(tests, survives_a_pipe_without_a_reader, 0, PIPES * SIGNAL_STATES);
	tcase_add_test(tests, drops_what_a_full_socket_does_not_take);
	tcase_add_loop_test(tests, drops_what_a_terminal_that_nobody_reads_does_not_take, 0, 2);
	tcase_add_loop_test(tests, is_not_stopped_in_the_background, 0, BLOCKED + 1);
	tcase_add_loop_test(tests, leaves_alone_what_lands_on_its_number, 0, 3);
	tcase_add_test(tests, follows_a_log_that_is_put_there);
	tcase_add_test(tests, leaves_a_rotated_log_behind);
	tcase_add_loop_test(tests, leaves_a_rotated_log_behind_that_it_may_not_open, 0, 2);
	tcase_add_loop_test(tests, writes_to_the_rotated_log_where_nobody_can_help, 0, 2);
	tcase_add_test(tests, writes_what_waits);
	tcase_add_test(tests, does_not_write_to_what_took_the_number_of_its_file);
	tcase_add_test(tests, keeps_none_of_few_descriptors);
	tcase_add_loop_test(tests, writes_to_syslog, 0, 2);
	tcase_add_loop_test(tests, drops_what_a_stuck_syslog_does_not_take, 0, 2);
	tcase_add_test(tests, reaches_a_syslog_through_others);
	tcase_add_test(tests, counts_with_those_who_share);
	tcase_add_loop_test(tests, is_no_cancellation_point, 0, 3);
	tcase_add_test(tests, is_off);
}
