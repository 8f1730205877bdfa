/* top.c - slshim top: looks at the pools again and again, and shows what it saw on a terminal, as
 * plain text, or as JSON. May not know: where a pool is found, or how a screen is laid out. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/screen.h"
#include "cmd/top_layout.h"
#include "cmd/view.h"
#include "os/number.h"

struct request {
	uint64_t delay; /* between two looks, milliseconds */
	pid_t only;     /* 0: all pools */
	bool is_once, is_json;
};

/* ----------------------------------------------------------------------- looks */

struct looks {
	struct views now, before;
	pid_t only; /* 0: all pools */
	unsigned count;
	struct timespec time; /* of the last one */
	uint64_t searched;    /* when all processes were last looked at */
};

static uint64_t milliseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A search reads something of every process, which takes longer than all else. It is needed at
 * every look for pools whose masters this process does not see. */
static bool has_to_search(const struct looks *looks)
{
	enum { SEARCH_EVERY = 15000 };

	for (unsigned i = 0; i < looks->before.count; i++)
		if (looks->before.pools[i].master == 0)
			return true;
	return looks->before.count == 0 || milliseconds_now() - looks->searched >= SEARCH_EVERY;
}

static bool search(struct looks *looks)
{
	looks->searched = milliseconds_now();
	if (!views_find(&looks->now, looks->only))
		return false;
	/* A worker leaves some day, and its pool stays. */
	if (looks->only != 0 && looks->now.count > 0 && looks->now.pools[0].master != 0)
		looks->only = looks->now.pools[0].master;
	return true;
}

/* What else the last search found is still what it was. */
static bool copy_others(struct views *now, const struct views *before)
{
	now->unreadable = before->unreadable;
	now->unmapped_count = 0;
	now->unmapped = malloc((before->unmapped_count + 1) * sizeof *now->unmapped);
	if (now->unmapped == NULL)
		return false;
	for (unsigned i = 0; i < before->unmapped_count; i++)
		now->unmapped[now->unmapped_count++] = before->unmapped[i];
	return true;
}

/* Looks at the pools that were there at the last look, without a search. */
static bool look_at_known(struct views *now, const struct views *before)
{
	now->pools = calloc(before->count + 1, sizeof *now->pools);
	if (now->pools == NULL || !copy_others(now, before))
		return false;
	for (unsigned i = 0; i < before->count; i++) {
		struct views one;

		if (!views_find(&one, before->pools[i].master))
			return false;
		if (one.count > 0) {
			now->pools[now->count++] = one.pools[0];
			one.pools[0] = one.pools[--one.count];
		}
		views_free(&one);
	}
	return true;
}

/* Nanoseconds of processor time at each look, so that a second apart they stay cheap. */
enum { BUDGET = 2000000 };

/* False with errno if that fails. */
static bool look(struct looks *looks)
{
	views_free(&looks->before);
	looks->before = looks->now;
	looks->now = (struct views){.count = 0};
	looks->count++;
	clock_gettime(CLOCK_REALTIME, &looks->time);
	if (!(has_to_search(looks) ? search(looks) : look_at_known(&looks->now, &looks->before)))
		return false;
	views_measure(&looks->now, BUDGET);
	return true;
}

static int complain_of_look(void)
{
	cmd_complain("/proc: %s", strerror(errno));
	return EXIT_OWN_FAILURE;
}

static struct top_look as_look(struct looks *looks, char clock[16])
{
	struct tm local;

	if (localtime_r(&looks->time.tv_sec, &local) == NULL ||
	    strftime(clock, 16, "%H:%M:%S", &local) == 0)
		clock[0] = '\0';
	return (struct top_look){&looks->now, looks->count > 1 ? &looks->before : NULL, clock};
}

static void forget(struct looks *looks)
{
	views_free(&looks->now);
	views_free(&looks->before);
}

/* Is there what was asked for? */
static bool has_pool(const struct views *views, pid_t only)
{
	if (views->count > 0)
		return true;
	if (only != 0)
		cmd_complain("%d is no master or worker of a pool that may be read", (int)only);
	else if (views->unreadable > 0)
		cmd_complain("there is no pool that may be read, and %u that may not", views->unreadable);
	else
		cmd_complain("there is no pool that may be read");
	return false;
}

/* --------------------------------------------------------------------- waiting */

/* The end comes as a signal that is read like any other input, so that nothing is left half done.
 * Returns -1 if that cannot be had, and the signals do what they always do. */
static int open_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
	sigset_t set;
	int signals;

	sigemptyset(&set);
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
		sigaddset(&set, numbers[i]);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals >= 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	return signals;
}

enum woken { WOKEN_BY_TIME, WOKEN_BY_KEYS, WOKEN_BY_SIZE, WOKEN_TO_END };

/* `keys` is a terminal, or -1. */
static enum woken wait_until(uint64_t end, int signals, int keys)
{
	struct pollfd of[] = {{.fd = signals, .events = POLLIN}, {.fd = keys, .events = POLLIN}};
	uint64_t now = milliseconds_now();
	struct signalfd_siginfo came;
	int found;

	if (now >= end)
		return WOKEN_BY_TIME;
	found = poll(of, 2, (int)(end - now));
	if (found < 0)
		return errno == EINTR ? WOKEN_BY_SIZE : WOKEN_TO_END; /* stopped, and continued */
	if (of[0].revents != 0)
		return read(signals, &came, sizeof came) == sizeof came && came.ssi_signo == SIGWINCH
		           ? WOKEN_BY_SIZE
		           : WOKEN_TO_END;
	if (of[1].revents & (POLLHUP | POLLERR | POLLNVAL))
		return WOKEN_TO_END;
	return of[1].revents != 0 ? WOKEN_BY_KEYS : WOKEN_BY_TIME;
}

/* ------------------------------------------------------------------------ JSON */

static json_t *pools_json(const struct views *views)
{
	json_t *pools = json_array();

	for (unsigned i = 0; i < views->count; i++)
		json_array_append_new(pools, view_json(&views->pools[i]));
	return pools;
}

static json_t *unmapped_json(const struct views *views)
{
	json_t *unmapped = json_array();

	for (unsigned i = 0; i < views->unmapped_count; i++)
		json_array_append_new(unmapped, json_pack("{s:i, s:s}", "pid", (int)views->unmapped[i].pid,
		                                          "program", views->unmapped[i].program));
	return unmapped;
}

/* Waits for whoever reads it, but not beyond a signal to end: then the line is cut off. */
static bool write_waiting(const char *text, size_t size, int signals)
{
	struct pollfd of[] = {{.fd = STDOUT_FILENO, .events = POLLOUT},
	                      {.fd = signals, .events = POLLIN}};

	while (size > 0) {
		ssize_t written;

		if (poll(of, 2, -1) > 0 && of[0].revents == 0)
			return true;
		/* So much does not block where there is room in a pipe. */
		written = write(STDOUT_FILENO, text, size < PIPE_BUF ? size : PIPE_BUF);
		if (written < 0 && errno != EINTR) {
			cmd_complain("standard output: %s", strerror(errno));
			return false;
		}
		text += written > 0 ? written : 0;
		size -= written > 0 ? (size_t)written : 0;
	}
	return true;
}

static bool write_json(const struct looks *looks, int signals)
{
	enum { DIGITS = 14 }; /* of the time: milliseconds */
	json_t *object =
	    json_pack("{s:f, s:o, s:o, s:i}", "time",
	              (double)looks->time.tv_sec + (double)looks->time.tv_nsec / 1e9, "pools",
	              pools_json(&looks->now), "unmapped", unmapped_json(&looks->now), "unreadable",
	              (int)looks->now.unreadable);
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
	bool is_written;

	json_decref(object);
	if (text == NULL) {
		cmd_complain("there is no memory for a look");
		return false;
	}
	is_written = write_waiting(text, strlen(text), signals) && write_waiting("\n", 1, signals);
	free(text);
	return is_written;
}

static int record(const struct request *request)
{
	struct looks looks = {.only = request->only};
	int signals = open_signals(), status = 0;
	uint64_t next = milliseconds_now();

	do {
		if (!look(&looks))
			status = complain_of_look();
		else if (!write_json(&looks, signals))
			status = EXIT_OWN_FAILURE;
		else if (looks.count == 1 && (request->is_once || request->only != 0) &&
		         !has_pool(&looks.now, request->only))
			status = 1;
		next += request->delay;
	} while (status == 0 && !request->is_once && wait_until(next, signals, -1) == WOKEN_BY_TIME);
	forget(&looks);
	close(signals);
	return status;
}

/* ------------------------------------------------------------------ plain text */

/* A file has lines as long as they are. */
static unsigned columns_of_output(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return TOP_LINE_MOST;
}

static int print_once(const struct request *request)
{
	struct looks looks = {.only = request->only};
	struct top_look shown;
	struct top_text text;
	char clock[16];
	int status;

	if (!look(&looks))
		return complain_of_look();
	top_text_start(&text, columns_of_output());
	shown = as_look(&looks, clock);
	top_lay_out_all(&text, &shown);
	top_text_print(&text, stdout);
	top_text_free(&text);
	status = has_pool(&looks.now, request->only) ? 0 : 1;
	forget(&looks);
	return status;
}

/* ------------------------------------------------------------------- live view */

static void draw(struct looks *looks, struct top_choice *choice)
{
	unsigned columns, rows;
	struct top_look shown;
	struct top_text lines;
	char clock[16];

	screen_size(&columns, &rows);
	shown = as_look(looks, clock);
	top_text_start(&lines, columns < TOP_LINE_MOST ? columns : TOP_LINE_MOST);
	top_lay_out(&lines, &shown, choice, rows);
	screen_draw(&lines);
	top_text_free(&lines);
}

/* False: to quit. */
static bool obey_keys(const struct looks *looks, struct top_choice *choice)
{
	struct screen_input input;

	while ((input = screen_read()).kind != INPUT_NONE) {
		if (input.kind == INPUT_QUIT)
			return false;
		if (input.kind == INPUT_KEY)
			top_press(choice, &looks->now, input.key);
		else if (input.kind == INPUT_LETTER)
			top_press_letter(choice, input.letter);
	}
	return true;
}

static bool look_again(struct looks *looks, struct top_choice *choice)
{
	if (!look(looks))
		return false;
	top_follow(choice, &looks->before, &looks->now);
	return true;
}

static int follow(struct looks *looks, const struct request *request, int signals)
{
	struct top_choice choice = top_choice_at_first;
	uint64_t next = milliseconds_now() + request->delay;

	for (;;) {
		draw(looks, &choice);
		switch (wait_until(next, signals, STDIN_FILENO)) {
		case WOKEN_BY_TIME:
			next = milliseconds_now() + request->delay;
			if (!look_again(looks, &choice)) {
				screen_close();
				return complain_of_look();
			}
			break;
		case WOKEN_BY_KEYS:
			if (!obey_keys(looks, &choice))
				return 0;
			break;
		case WOKEN_BY_SIZE:
			break;
		case WOKEN_TO_END:
			return 0;
		}
	}
}

static int show(const struct request *request)
{
	struct looks looks = {.only = request->only};
	int signals, status;

	if (!look(&looks))
		return complain_of_look();
	if (request->only != 0 && !has_pool(&looks.now, request->only)) {
		forget(&looks);
		return 1;
	}
	signals = open_signals();
	status = screen_open() ? follow(&looks, request, signals) : EXIT_OWN_FAILURE;
	screen_close();
	forget(&looks);
	close(signals);
	return status;
}

/* --------------------------------------------------------------------- options */

static const char usage[] = "usage: slshim top [options] [PID]\n"
                            "All pools, or that of a master or worker, live.\n"
                            "-d, --delay=SECONDS\n"
                            "        between two looks: 0.1 to 3600 (1)\n"
                            "-1, --once\n"
                            "        print one look, as plain text\n"
                            "-j, --json\n"
                            "        print each look as a line of JSON; with --once, one\n"
                            "--help\n"
                            "        print this\n";

static bool read_delay(const char *word, uint64_t *delay)
{
	char *end;
	double seconds = strtod(word, &end);
	bool is_number = strspn(word, "0123456789.") == strlen(word) && end != word && *end == '\0';

	if (!is_number || seconds < 0.1 || seconds > 3600) {
		cmd_complain("--delay=%s is refused; accepted: a number of seconds, 0.1 to 3600", word);
		return false;
	}
	*delay = (uint64_t)(seconds * 1000);
	return true;
}

/* Returns 0, or the status to end with; -1: help was asked for. */
static int read_options(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {{"delay", required_argument, NULL, 'd'},
	                                        {"once", no_argument, NULL, '1'},
	                                        {"json", no_argument, NULL, 'j'},
	                                        {"help", no_argument, NULL, 'h'},
	                                        {NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":d:1j", options, NULL)) != -1) {
		request->is_once = request->is_once || option == '1';
		request->is_json = request->is_json || option == 'j';
		if (option == 'h')
			return -1;
		if (option == 'd' && !read_delay(optarg, &request->delay))
			return EXIT_OWN_FAILURE;
		if (option == '?' || option == ':') {
			cmd_complain(option == ':' ? "%s wants a value; see slshim top --help"
			                           : "%s is no option; see slshim top --help",
			             argv[optind - 1]);
			return EXIT_OWN_FAILURE;
		}
	}
	if (argc - optind > 1) {
		cmd_complain("top takes one pid, and \"%s\" is one more", argv[optind + 1]);
		return EXIT_OWN_FAILURE;
	}
	return optind == argc || cmd_read_pid(argv[optind], &request->only) ? 0 : EXIT_OWN_FAILURE;
}

int cmd_top(int argc, char **argv)
{
	struct request request = {.delay = 1000};
	int status = read_options(argc, argv, &request);

	if (status != 0) {
		if (status < 0)
			fputs(usage, stdout);
		return status < 0 ? 0 : status;
	}
	setlocale(LC_CTYPE, "");
	if (request.is_json)
		return record(&request);
	if (request.is_once || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return print_once(&request);
	return show(&request);
}
