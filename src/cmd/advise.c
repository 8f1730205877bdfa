/* advise.c - slshim advise: watches a pool, and says which limit on unshared memory it should have.
 */
#include "cmd/advise.h"

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/process_memory.h"
#include "config.h"
#include "os/clock.h"
#include "os/number.h"

struct request {
	uint64_t milliseconds;
	unsigned headroom; /* percent */
	bool is_json;
	pid_t pid;
};

/* -------------------------------------------------------------------- options */

static bool read_duration(const char *text, struct request *request)
{
	enum quantity quantity;
	unsigned percent;

	if (config_read_limit("SL_MAX_AGE", text, &quantity, &request->milliseconds, &percent) &&
	    request->milliseconds > 0)
		return true;
	cmd_complain("--for=%s is refused; accepted: a number of seconds (600), or a whole number "
	             "with s, m, h or d",
	             text);
	return false;
}

static bool read_headroom(const char *text, struct request *request)
{
	enum { MOST = 90 };
	uint64_t percent;
	const char *end = number_read(text, &percent);

	if (end != NULL && *end == '%')
		end++;
	if (end != NULL && *end == '\0' && percent <= MOST) {
		request->headroom = (unsigned)percent;
		return true;
	}
	cmd_complain("--headroom=%s is refused; accepted: 0%% to %d%% of the memory", text, MOST);
	return false;
}

static bool read_option(int option, const char *word, struct request *request)
{
	switch (option) {
	case 'f':
		return read_duration(optarg, request);
	case 'r':
		return read_headroom(optarg, request);
	case 'j':
		request->is_json = true;
		return true;
	case ':':
		cmd_complain("%s wants a value", word);
		return false;
	default:
		cmd_complain("%s is no option; accepted: --for, --headroom and --json", word);
		return false;
	}
}

static bool read_request(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {{"for", required_argument, NULL, 'f'},
	                                        {"headroom", required_argument, NULL, 'r'},
	                                        {"json", no_argument, NULL, 'j'},
	                                        {NULL, 0, NULL, 0}};
	int option;

	*request = (struct request){.milliseconds = 600000, .headroom = 10};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":j", options, NULL)) != -1)
		if (!read_option(option, argv[optind - 1], request))
			return false;
	if (optind + 1 != argc) {
		cmd_complain("advise wants one pid, of a master or a worker");
		return false;
	}
	return cmd_read_pid(argv[optind], &request->pid);
}

/* ------------------------------------------------------------------- watching */

static double seconds_now(void)
{
	return (double)clock_boot() / 1e9;
}

/* The signals that end the watching early; they are waited for, so they are blocked. */
static void block_ends(sigset_t *ends)
{
	sigemptyset(ends);
	sigaddset(ends, SIGINT);
	sigaddset(ends, SIGTERM);
	sigprocmask(SIG_BLOCK, ends, NULL);
}

/* Is one of the signals there within that time? */
static bool is_told_to_end(const sigset_t *ends, double seconds)
{
	double until = seconds_now() + seconds;

	for (double left = seconds; left > 0; left = until - seconds_now()) {
		struct timespec rest = {(time_t)left, (long)((left - floor(left)) * 1e9)};

		if (sigtimedwait(ends, NULL, &rest) > 0)
			return true;
	}
	return false;
}

/* Several hundred looks, which take no more than a twentieth of a processor; at first they are as
 * frequent as if it was to end soon, because it may. */
static double interval_of(const struct watch *watch, double span)
{
	enum { LOOKS = 600, LOOKS_SO_FAR = 150, PARTS = 20 };
	static const double shortest = 0.25, longest = 60;
	double interval = fmin(span / LOOKS, (watch->until - watch->began) / LOOKS_SO_FAR);

	return fmax(fmax(shortest, fmin(interval, longest)), PARTS * watch->cost);
}

static void watch_for(struct watch *watch, double span)
{
	double until = seconds_now() + span, left = span;
	sigset_t ends;

	block_ends(&ends);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "slshim: watching %u workers of %d for %.0f s; Ctrl-C ends it early\n",
		        watch->workers, (int)watch->master, span);
	for (; left > 0; left = until - seconds_now())
		if (is_told_to_end(&ends, fmin(left, interval_of(watch, span))) || !watch_look(watch))
			return;
}

/* -------------------------------------------------------------------- findings */

/* Finds "NAME=17" in the settings as they were understood. */
static const char *read_setting(const char *settings, const char *name, uint64_t *value)
{
	const char *at = strstr(settings, name);

	return at != NULL ? number_read(at + strlen(name), value) : NULL;
}

/* As the library has it: a share of the workers, at least one. */
static unsigned most_away(const struct watch *watch)
{
	uint64_t most = 10;
	const char *end = read_setting(watch->pool.settings, " SL_MAX_LEAVING=", &most);

	if (end == NULL || *end == '%')
		most = watch->workers * most / 100;
	if (most > watch->workers)
		most = watch->workers;
	return most > 0 ? (unsigned)most : 1;
}

/* A master may take a second to see that a worker has left, as httpd does, which no birth shows. */
static double replaced_after(const struct watch *watch, bool *is_measured)
{
	static const double seen_after = 1;
	uint64_t seconds = 10;

	*is_measured = watch->births > 0;
	if (*is_measured)
		return fmax(seen_after, estimate_quantile(watch->served_after, watch->births, 0.5));
	read_setting(watch->pool.settings, " SL_REPLACE_TIMEOUT=", &seconds);
	return (double)seconds;
}

/* What others have: all that is taken, less what the pool has. */
static double taken_by_others(const struct findings *findings)
{
	double taken = (double)findings->room.taken - findings->watch->all;

	return findings->has_room && !isnan(taken) ? fmax(0, taken) : NAN;
}

static void find_facts(struct findings *findings)
{
	const struct watch *watch = findings->watch;
	double share = 1 - findings->headroom / 100.0;

	findings->has_room = room_find("", watch->master, share, &findings->room);
	findings->facts = (struct pool_facts){
	    .workers = watch->workers,
	    .away = most_away(watch),
	    .shared = watch->shared,
	    .others = taken_by_others(findings),
	    .allowed = findings->has_room ? (double)findings->room.limit.bytes * share : NAN,
	    .replaced_after = replaced_after(watch, &findings->is_measured),
	};
}

/* The counts are since the master started, so workers that ended before the watching may be among
 * them. A quarter more or less, or one worker, is no difference. */
static void find_rehearsal(struct findings *findings, const struct advice_life *lives)
{
	const struct watch *watch = findings->watch;
	const struct view_counts *counts = &watch->pool.counts;
	struct rehearsal *rehearsal = &findings->rehearsal;
	struct interval *predicted = &rehearsal->predicted;
	double slack;

	*rehearsal = (struct rehearsal){.limit = 0};
	if (!watch->has_library || !watch->pool.is_dry_run ||
	    counts->would_leave[QUANTITY_UNSHARED] == VIEW_UNKNOWN)
		return;
	rehearsal->limit = (double)watch->pool.limit[QUANTITY_UNSHARED];
	rehearsal->came = (double)counts->would_leave[QUANTITY_UNSHARED];
	*predicted = advice_crossings(&findings->advice, lives, watch->count, rehearsal->limit);
	if (counts->deaths != VIEW_UNKNOWN)
		predicted->high += (double)counts->deaths;
	slack = fmax(1, predicted->value / 4);
	rehearsal->is_as_predicted =
	    rehearsal->came >= predicted->low - slack && rehearsal->came <= predicted->high + slack;
}

static bool find(struct findings *findings)
{
	const struct watch *watch = findings->watch;
	struct advice_life *lives = calloc(watch->count + 1, sizeof *lives);

	if (lives == NULL)
		return false;
	for (size_t i = 0; i < watch->count; i++)
		lives[i] = (struct advice_life){watch->lives[i].samples, watch->lives[i].count};
	findings->advice = advice_find(lives, watch->count);
	find_facts(findings);
	findings->candidates = candidates_find(&findings->advice, &findings->facts);
	find_rehearsal(findings, lives);
	free(lives);
	return true;
}

/* The status is 1 if there is no limit to offer. */
static int show(const struct watch *watch, const struct request *request)
{
	struct findings findings = {.watch = watch, .headroom = request->headroom};

	if (!find(&findings) || (request->is_json && !advise_as_json(&findings))) {
		cmd_complain("there is no memory");
		return EXIT_OWN_FAILURE;
	}
	if (!request->is_json)
		advise_as_text(&findings);
	return findings.candidates.chosen != NONE_CHOSEN ? 0 : 1;
}

int cmd_advise(int argc, char **argv)
{
	struct request request;
	struct watch watch;
	int status;

	if (!read_request(argc, argv, &request))
		return EXIT_OWN_FAILURE;
	if (!watch_begin(&watch, request.pid)) {
		watch_end(&watch);
		return EXIT_OWN_FAILURE;
	}
	watch_for(&watch, (double)request.milliseconds / 1000);
	status = show(&watch, &request);
	watch_end(&watch);
	return status;
}
