/* report.c - slshim report: a page of what a log or a recording tells, or of what pools do now. May
 * not know: how a line is read, or how the page looks. */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/history.h"
#include "cmd/log_lines.h"
#include "cmd/recording.h"
#include "cmd/report_page.h"
#include "config.h"
#include "os/number.h"

enum { NOTES = 8 };

struct report {
	struct history history;
	struct report_source source;
	char *notes[NOTES];
};

/* What is not on the page, but should be. */
static void note(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct report *report, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (report->source.note_count < NOTES && vasprintf(&text, format, arguments) >= 0)
		report->notes[report->source.note_count++] = text;
	va_end(arguments);
}

/* ------------------------------------------------------------------------ file */

struct reading {
	unsigned long lines, read, timeless, broken;
	unsigned long first_broken; /* its number */
	bool is_recording;          /* its first line is JSON */
	bool is_cut;                /* its last line has no end, and tells nothing */
};

static bool is_json(const char *line)
{
	return line[strspn(line, " \t")] == '{';
}

static void count_broken(struct reading *reading, bool is_whole)
{
	if (!is_whole) {
		reading->is_cut = true;
		return;
	}
	if (reading->broken++ == 0)
		reading->first_broken = reading->lines;
}

static void read_json(struct report *report, const char *line, size_t length, bool is_whole,
                      struct reading *reading)
{
	switch (recording_read_line(&report->history, line, length)) {
	case RECORDING_LOOK:
		reading->is_recording = true;
		reading->read++;
		break;
	case RECORDING_LOG:
		reading->read++;
		break;
	case RECORDING_BROKEN:
		count_broken(reading, is_whole);
		break;
	default:
		break;
	}
}

/* A line of a log that is cut off may lack what matters most: it is left out. */
static void read_text(struct report *report, const char *line, bool is_whole,
                      struct reading *reading)
{
	struct history unused = {.count = 0};
	enum log_answer answer = log_read_line(is_whole ? &report->history : &unused, line);

	history_free(&unused);
	if (!is_whole && answer != LOG_FOREIGN)
		reading->is_cut = true;
	else if (answer == LOG_READ)
		reading->read++;
	else if (answer == LOG_TIMELESS)
		reading->timeless++;
}

static void read_lines(struct report *report, FILE *file, struct reading *reading)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	while ((length = getline(&line, &room, file)) >= 0) {
		bool is_whole = length > 0 && line[length - 1] == '\n';

		reading->lines++;
		if (is_whole)
			line[--length] = '\0';
		if (is_json(line))
			read_json(report, line, (size_t)length, is_whole, reading);
		else
			read_text(report, line, is_whole, reading);
	}
	free(line);
}

static bool complain_of_file(const char *path, const struct reading *reading)
{
	if (reading->lines == 0)
		cmd_complain("%s is empty; accepted: a log of the library, or lines of slshim top --json",
		             path);
	else if (reading->is_cut && reading->lines == 1)
		cmd_complain("%s has one line, which is cut off", path);
	else if (reading->timeless > 0)
		cmd_complain("%s: the lines of the library in it have no time with a year; accepted: "
		             "SL_LOG=PATH, or journalctl -o json",
		             path);
	else
		cmd_complain("%s is neither a log that the library wrote to nor a recording; accepted: a "
		             "file of SL_LOG=PATH, or lines of slshim top --json",
		             path);
	return false;
}

static void note_what_is_missing(struct report *report, const struct reading *reading)
{
	if (reading->is_cut)
		note(report, "The last line is cut off, and is left out.");
	if (reading->broken > 0)
		note(report, "%lu lines cannot be read and are left out; the first is line %lu.",
		     reading->broken, reading->first_broken);
	if (reading->timeless > 0)
		note(report, "%lu lines have no time with a year, and are left out.", reading->timeless);
}

static bool read_file(struct report *report, const char *path)
{
	bool is_input = strcmp(path, "-") == 0;
	FILE *file = is_input ? stdin : fopen(path, "re");
	struct reading reading = {.lines = 0};
	bool is_good;

	if (file == NULL) {
		cmd_complain("%s: %s", path, strerror(errno));
		return false;
	}
	read_lines(report, file, &reading);
	is_good = !ferror(file);
	if (!is_good)
		cmd_complain("%s: %s", path, strerror(errno));
	if (!is_input)
		fclose(file);
	if (!is_good || reading.read == 0)
		return is_good && complain_of_file(path, &reading);
	note_what_is_missing(report, &reading);
	report->source.kind = reading.is_recording ? "the recording" : "the log";
	report->source.name = is_input ? "" : path;
	return true;
}

/* ----------------------------------------------------------------------- pools */

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

static uint64_t milliseconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Nanoseconds of processor time at each look, a second from the next. */
enum { BUDGET = 20000000 };

/* Adds what there is now; false if there is nothing, and why. */
static bool look(struct report *report, pid_t only, unsigned *unreadable)
{
	uint64_t now = milliseconds_of(CLOCK_REALTIME);
	struct views views;
	bool has_some;

	if (!views_find(&views, only)) {
		cmd_complain("/proc: %s", strerror(errno));
		return false;
	}
	views_measure(&views, BUDGET);
	for (unsigned i = 0; i < views.count; i++)
		history_look(&report->history, now, &views.pools[i]);
	has_some = views.count > 0;
	*unreadable = views.unreadable;
	views_free(&views);
	return has_some;
}

/* Each look is a second after the one before. */
static void watch_on(struct report *report, pid_t only, uint64_t span)
{
	uint64_t begin = milliseconds_of(CLOCK_MONOTONIC), next = begin + 1000;
	unsigned unreadable;

	for (; next <= begin + span && !is_interrupted; next += 1000) {
		struct timespec until = {.tv_sec = (time_t)(next / 1000),
		                         .tv_nsec = (long)(next % 1000) * 1000000};

		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
			continue;
		if (!look(report, only, &unreadable)) {
			note(report, "The pool ended before the time was over.");
			return;
		}
	}
	if (is_interrupted)
		note(report, "The look at it was ended early, by a signal.");
}

static bool watch(struct report *report, pid_t only, uint64_t span)
{
	struct sigaction action = {.sa_handler = interrupt};
	unsigned unreadable = 0;

	if (!look(report, only, &unreadable)) {
		if (only != 0)
			cmd_complain("process %d is in no pool that may be read", (int)only);
		else
			cmd_complain("there is no pool that may be read");
		return false;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (isatty(STDERR_FILENO))
		cmd_complain("watching for %g s; Ctrl-C ends it early", (double)span / 1000);
	watch_on(report, only, span);
	if (unreadable > 0)
		note(report, "There are %u more pools, which may not be read.", unreadable);
	report->source.kind = "living pools";
	report->source.name = "";
	return true;
}

/* ---------------------------------------------------------------------- output */

/* Written beside it and then renamed, so that nobody sees half a page. */
struct output {
	FILE *file;
	const char *path; /* NULL: standard output */
	char *beside;
};

static bool open_output(struct output *output, const char *path)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	*output = (struct output){.file = stdout, .path = path};
	if (path == NULL)
		return true;
	if (asprintf(&output->beside, "%s.XXXXXX", path) < 0)
		return false;
	fd = mkstemp(output->beside);
	output->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (output->file != NULL && fchmod(fd, 0666 & ~mask) == 0)
		return true;
	cmd_complain("%s: %s", path, strerror(errno));
	free(output->beside);
	return false;
}

static bool close_output(struct output *output, bool is_good)
{
	bool is_written = is_good && fflush(output->file) == 0 && !ferror(output->file);

	if (output->path == NULL) {
		if (is_good && !is_written)
			cmd_complain("standard output: %s", strerror(errno));
		return is_written;
	}
	if (fclose(output->file) != 0)
		is_written = false;
	if (is_written && rename(output->beside, output->path) != 0)
		is_written = false;
	if (is_good && !is_written)
		cmd_complain("%s: %s", output->path, strerror(errno));
	if (!is_written)
		unlink(output->beside);
	free(output->beside);
	return is_written;
}

/* --------------------------------------------------------------------- options */

struct wishes {
	const char *file, *output;
	uint64_t span; /* milliseconds; 0: not said */
	pid_t pid;
};

/* As SL_MAX_AGE would be read. */
static bool read_span(const char *word, uint64_t *span)
{
	enum quantity quantity;
	unsigned percent;

	if (config_read_limit("SL_MAX_AGE", word, &quantity, span, &percent) && *span >= 1000)
		return true;
	cmd_complain(
	    "--for=%s is refused; accepted: a number of seconds (60), or a whole number with s, "
	    "m, h or d",
	    word);
	return false;
}

static bool read_option(int option, char **argv, struct wishes *wishes)
{
	switch (option) {
	case 'd':
		return read_span(optarg, &wishes->span);
	case 'f':
		wishes->file = optarg;
		return true;
	case 'o':
		wishes->output = optarg;
		return true;
	case ':':
		cmd_complain("%s wants a value; see slshim --help", argv[optind - 1]);
		return false;
	default:
		cmd_complain("%s is no option; accepted: --for DURATION, -f FILE, -o FILE.html",
		             argv[optind - 1]);
		return false;
	}
}

static bool are_sound(const struct wishes *wishes, int words)
{
	if (words > 1)
		cmd_complain("report takes one pid at most");
	else if (wishes->file != NULL && (words > 0 || wishes->span > 0))
		cmd_complain("-f FILE goes with neither a pid nor --for: a file is not watched");
	else if (wishes->output == NULL && isatty(STDOUT_FILENO))
		cmd_complain("a page is no use on a terminal; say where it is to go: -o FILE.html");
	else
		return true;
	return false;
}

static bool read_words(int argc, char **argv, struct wishes *wishes)
{
	static const struct option options[] = {{"for", required_argument, NULL, 'd'},
	                                        {"file", required_argument, NULL, 'f'},
	                                        {"output", required_argument, NULL, 'o'},
	                                        {NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:o:", options, NULL)) != -1)
		if (!read_option(option, argv, wishes))
			return false;
	return are_sound(wishes, argc - optind) &&
	       (optind == argc || cmd_read_pid(argv[optind], &wishes->pid));
}

static bool fill(struct report *report, const struct wishes *wishes)
{
	enum { MINUTE = 60000 };

	if (wishes->file != NULL)
		return read_file(report, wishes->file);
	return watch(report, wishes->pid, wishes->span > 0 ? wishes->span : MINUTE);
}

int cmd_report(int argc, char **argv)
{
	struct wishes wishes = {.file = NULL};
	struct report report = {.source.kind = ""};
	struct output output;
	bool is_good;

	report.source.notes = report.notes;
	if (!read_words(argc, argv, &wishes) || !open_output(&output, wishes.output))
		return EXIT_OWN_FAILURE;
	is_good = fill(&report, &wishes);
	if (is_good) {
		history_sort(&report.history);
		report_page_write(output.file, &report.history, &report.source);
	}
	is_good = close_output(&output, is_good);
	history_free(&report.history);
	for (unsigned i = 0; i < report.source.note_count; i++)
		free(report.notes[i]);
	return is_good ? 0 : EXIT_OWN_FAILURE;
}
