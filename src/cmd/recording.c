/* recording.c - the reverse of view_json(). What is missing or of another kind than it should be is
 * unknown. */
#include "cmd/recording.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/log_lines.h"
#include "os/line.h"
#include "os/number.h"

/* ---------------------------------------------------------------------- values */

static uint64_t read_number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) && json_integer_value(value) >= 0
	           ? (uint64_t)json_integer_value(value)
	           : VIEW_UNKNOWN;
}

static pid_t read_pid(const json_t *object, const char *name)
{
	uint64_t pid = read_number(object, name);

	return pid <= INT32_MAX ? (pid_t)pid : 0;
}

static void read_text(const json_t *object, const char *name, char *room, size_t size)
{
	const char *value = json_string_value(json_object_get(object, name));
	struct line line;

	line_start(&line);
	line_text(&line, value != NULL ? value : "");
	if (line.used >= size)
		line.used = size - 1;
	line.text[line.used] = '\0';
	line_make_printable(&line);
	memcpy(room, line.text, line.used + 1);
}

/* {"SL_MAX_UNSHARED": 3}: what is not in there is 0; all of it is unknown without the object. */
static void read_by_variable(const json_t *object, const char *name, uint64_t figures[QUANTITIES])
{
	const json_t *of = json_object_get(object, name);

	for (int q = 0; q < QUANTITIES; q++)
		if (!json_is_object(of))
			figures[q] = VIEW_UNKNOWN;
		else if (json_object_get(of, quantity_kinds[q].variable) == NULL)
			figures[q] = 0;
		else
			figures[q] = read_number(of, quantity_kinds[q].variable);
}

/* ----------------------------------------------------------------------- pools */

static bool read_worker(const json_t *object, struct worker_view *worker)
{
	const char *state = json_string_value(json_object_get(object, "state"));

	*worker = (struct worker_view){
	    .pid = read_pid(object, "pid"),
	    .age = read_number(object, "age"),
	    .connections = read_number(object, "connections"),
	    .unshared = read_number(object, "unshared"),
	    .proportional = read_number(object, "proportional"),
	    .resident = read_number(object, "resident"),
	    .swapped = read_number(object, "swapped"),
	};
	read_text(object, "held_by", worker->held_by, sizeof worker->held_by);
	for (int s = 0; s < VIEW_STATES && state != NULL; s++)
		if (strcmp(state, view_state_names[s]) == 0) {
			worker->state = (enum view_state)s;
			return worker->pid > 0;
		}
	return false;
}

static void read_workers(const json_t *pool, struct pool_view *view)
{
	const json_t *list = json_object_get(pool, "workers");
	size_t count = json_array_size(list);

	if (count == 0 || count > UINT32_MAX)
		return;
	view->workers = calloc(count, sizeof *view->workers);
	for (size_t i = 0; i < count && view->workers != NULL; i++)
		if (read_worker(json_array_get(list, i), &view->workers[view->count]))
			view->count++;
}

static void read_counts(const json_t *pool, struct view_counts *counts)
{
	const json_t *object = json_object_get(pool, "counts");

	read_by_variable(object, "leavings", counts->leavings);
	read_by_variable(object, "would_leave", counts->would_leave);
	counts->leavings_asked = read_number(object, "leavings_asked");
	counts->leavings_all = read_number(object, "leavings_all");
	counts->would_leave_all = read_number(object, "would_leave_all");
	counts->deaths = read_number(object, "deaths");
	counts->replacements = read_number(object, "replacements");
}

static void read_pool(struct history *history, uint64_t time, const json_t *object)
{
	struct pool_view view = {.master = read_pid(object, "master"),
	                         .is_dry_run = json_is_true(json_object_get(object, "is_dry_run")),
	                         .age = read_number(object, "age")};

	if (!json_is_string(json_object_get(object, "program")))
		return;
	read_text(object, "program", view.program, sizeof view.program);
	read_text(object, "unit", view.unit, sizeof view.unit);
	read_text(object, "listeners", view.listeners, sizeof view.listeners);
	read_text(object, "method", view.method, sizeof view.method);
	read_text(object, "whose", view.whose, sizeof view.whose);
	read_text(object, "settings", view.settings, sizeof view.settings);
	read_by_variable(object, "limit", view.limit);
	for (int q = 0; q < QUANTITIES; q++)
		if (view.limit[q] == VIEW_UNKNOWN)
			view.limit[q] = 0;
	read_counts(object, &view.counts);
	read_workers(object, &view);
	history_look(history, time, &view);
	free(view.workers);
}

/* ----------------------------------------------------------------------- lines */

/* Seconds since the epoch, with or without a fraction. */
static uint64_t read_time(const json_t *object)
{
	enum { LAST = 253402300800 }; /* the year 10000 */
	const json_t *value = json_object_get(object, "time");
	double seconds = json_is_number(value) ? json_number_value(value) : -1;

	return seconds >= 0 && seconds < (double)LAST ? (uint64_t)(seconds * 1000) : VIEW_UNKNOWN;
}

static bool read_look(struct history *history, const json_t *object)
{
	const json_t *pools = json_object_get(object, "pools");
	uint64_t time = read_time(object);

	if (!json_is_array(pools) || time == VIEW_UNKNOWN)
		return false;
	for (size_t i = 0; i < json_array_size(pools); i++)
		read_pool(history, time, json_array_get(pools, i));
	return true;
}

/* By way of syslog the journal has the library's name apart from the message, and the time in
 * microseconds; what came from standard error has both in the message. */
static bool read_journal(struct history *history, const json_t *object)
{
	const char *message = json_string_value(json_object_get(object, "MESSAGE"));
	const char *when = json_string_value(json_object_get(object, "__REALTIME_TIMESTAMP"));
	const char *whose = json_string_value(json_object_get(object, "SYSLOG_IDENTIFIER"));
	uint64_t time;

	if (message == NULL)
		return false;
	if (whose == NULL || strcmp(whose, "slshim") != 0)
		return log_read_line(history, message) == LOG_READ;
	return when != NULL && number_read(when, &time) != NULL &&
	       log_read_message(history, time / 1000, message) == LOG_READ;
}

enum recording_answer recording_read_line(struct history *history, const char *line, size_t size)
{
	json_t *object = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
	enum recording_answer answer = RECORDING_FOREIGN;

	if (object == NULL)
		return RECORDING_BROKEN;
	if (read_look(history, object))
		answer = RECORDING_LOOK;
	else if (read_journal(history, object))
		answer = RECORDING_LOG;
	json_decref(object);
	return answer;
}
