/* status.c - slshim status: the pools of this host, and each of their workers, as they last told.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/table.h"
#include "cmd/view.h"
#include "os/line.h"
#include "os/number.h"
#include "quantity.h"

/* --------------------------------------------------------------------- workers */

enum column {
	PID,
	STATE,
	AGE,
	CONNECTIONS,
	OPEN,
	UNSHARED,
	PROPORTIONAL,
	RESIDENT,
	SWAPPED,
	TOLD,
	WHY
};
static const struct table_column columns[] = {
    {"PID", TABLE_NUMBER},          {"STATE", TABLE_TEXT},      {"AGE s", TABLE_NUMBER},
    {"CONNECTIONS", TABLE_NUMBER},  {"OPEN", TABLE_NUMBER},     {"UNSHARED KB", TABLE_NUMBER},
    {"PROPORTIONAL", TABLE_NUMBER}, {"RESIDENT", TABLE_NUMBER}, {"SWAPPED", TABLE_NUMBER},
    {"TOLD s", TABLE_NUMBER},       {"HELD BY", TABLE_TEXT},    {NULL, TABLE_TEXT},
};

/* What is not known stays empty. */
static void set_number(struct table_row row, enum column column, uint64_t figure, uint64_t unit)
{
	if (figure != VIEW_UNKNOWN)
		table_set(row, column, "%" PRIu64, figure / unit);
}

static void add_worker(struct table *table, const struct worker_view *worker)
{
	struct table_row row = table_add(table);

	table_set(row, PID, "%d", (int)worker->pid);
	table_set(row, STATE, "%s", view_state_names[worker->state]);
	set_number(row, AGE, worker->age, 1000);
	set_number(row, CONNECTIONS, worker->connections, 1);
	set_number(row, OPEN, worker->open, 1);
	set_number(row, UNSHARED, worker->unshared, 1024);
	set_number(row, PROPORTIONAL, worker->proportional, 1024);
	set_number(row, RESIDENT, worker->resident, 1024);
	set_number(row, SWAPPED, worker->swapped, 1024);
	set_number(row, TOLD, worker->told_ago, 1000);
	table_set(row, WHY, "%s", worker->held_by);
}

/* ----------------------------------------------------------------------- pools */

static void tell_reasons(const char *what, const uint64_t by[QUANTITIES])
{
	struct line line;

	line_start(&line);
	for (int q = 0; q < QUANTITIES; q++)
		if (by[q] > 0) {
			line_text(&line, line.used > 0 ? ", " : "");
			line_number(&line, by[q]);
			line_text(&line, " over ");
			line_text(&line, quantity_kinds[q].variable);
		}
	if (line.used > 0)
		printf("  %s: %s\n", what, line.text);
}

static void tell_counts(const struct pool_view *pool)
{
	static const char *const replacing[] = {
	    [VIEW_REPLACES] = "its master replaces workers that leave",
	    [VIEW_ON_TRIAL] = "one worker left on trial, and its master has not replaced it yet",
	    [VIEW_REPLACING_UNKNOWN] = "its master has not been seen to replace a worker"};
	const struct view_counts *counts = &pool->counts;

	tell_reasons("left", counts->leavings);
	if (counts->leavings_asked > 0)
		printf("  left because the application asked: %" PRIu64 "\n", counts->leavings_asked);
	tell_reasons("would have left, in a dry run", counts->would_leave);
	printf("  %" PRIu64 " left, %" PRIu64 " died, %" PRIu64 " replaced, %" PRIu64 " away; %s\n",
	       counts->leavings_all, counts->deaths, counts->replacements, pool->vacancies,
	       replacing[pool->replacing]);
}

static void tell_head(const struct pool_view *pool)
{
	printf("%s", pool->program);
	if (pool->master != 0)
		printf(", master %d", (int)pool->master);
	if (pool->unit[0] != '\0')
		printf(", %s", pool->unit);
	if (pool->listeners[0] != '\0')
		printf(", on %s", pool->listeners);
	printf("\n ");
	printf("%s\n", pool->settings);
	printf("  workers leave by %s (%s)%s\n", pool->method, pool->whose,
	       pool->is_dry_run ? "; this is a dry run, so none does" : "");
}

static void tell(const struct pool_view *pool)
{
	struct table *table = table_new("workers", columns, false);

	tell_head(pool);
	tell_counts(pool);
	for (unsigned i = 0; i < pool->count; i++)
		add_worker(table, &pool->workers[i]);
	table_end(table);
}

static void tell_all(const struct views *views)
{
	for (unsigned i = 0; i < views->count; i++) {
		if (i > 0)
			putchar('\n');
		tell(&views->pools[i]);
	}
	for (unsigned i = 0; i < views->unmapped_count; i++)
		printf("%s%s, pid %d: its environment asks for libslshim.so, but it is not mapped\n",
		       i == 0 && views->count > 0 ? "\n" : "", views->unmapped[i].program,
		       (int)views->unmapped[i].pid);
}

static void tell_json(const struct views *views)
{
	json_t *pools = json_array(), *unmapped = json_array(), *all;

	for (unsigned i = 0; i < views->count; i++)
		json_array_append_new(pools, view_json(&views->pools[i]));
	for (unsigned i = 0; i < views->unmapped_count; i++)
		json_array_append_new(unmapped,
		                      json_pack("{sI ss}", "pid", (json_int_t)views->unmapped[i].pid,
		                                "program", views->unmapped[i].program));
	all = json_pack("{so so sI}", "pools", pools, "unmapped", unmapped, "unreadable",
	                (json_int_t)views->unreadable);
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(all);
}

/* --------------------------------------------------------------------- options */

static bool read_options(int argc, char **argv, bool *is_json, pid_t *only)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == '?') {
			cmd_complain("%s is no option; accepted: --json", argv[optind - 1]);
			return false;
		}
		*is_json = true;
	}
	if (optind + 1 < argc) {
		cmd_complain("status takes one pid, or none");
		return false;
	}
	return optind == argc || cmd_read_pid(argv[optind], only);
}

/* Nanoseconds of processor time, which is enough for a hundred workers or so. */
enum { BUDGET = 20000000 };

int cmd_status(int argc, char **argv)
{
	struct views views;
	bool is_json = false, is_any;
	pid_t only = 0;

	if (!read_options(argc, argv, &is_json, &only))
		return EXIT_OWN_FAILURE;
	if (!views_find(&views, only)) {
		cmd_complain("/proc: %s", strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	views_measure(&views, BUDGET);
	if (is_json)
		tell_json(&views);
	else
		tell_all(&views);
	if (views.unreadable > 0)
		cmd_complain("%u more pools may not be read; try as root", views.unreadable);
	is_any = views.count > 0;
	if (!is_any && views.unreadable == 0)
		cmd_complain("there is no pool");
	views_free(&views);
	return is_any ? 0 : 1;
}
