/* view_json.c - a pool as JSON:
 *
 *     {"master": 4711, "program": "apache2", "unit": "apache2.service", "listeners": "[::]:80",
 *      "method": "USR1@close", "whose": "apache2", "settings": " SL_MAX_UNSHARED=51200 KB ...",
 *      "limit": {"SL_MAX_UNSHARED": 52428800, ...}, "is_dry_run": false, "replacing": "yes",
 *      "age": 60000, "vacancies": 0,
 *      "counts": {"leavings": {"SL_MAX_UNSHARED": 3, ...}, "leavings_asked": 0, ...},
 *      "workers": [{"pid": 4712, "state": "serving", "age": 59000, ..., "held_by": null}, ...]} */
#include <jansson.h>
#include <stddef.h>

#include "cmd/view.h"

static json_t *number(uint64_t figure)
{
	return figure == VIEW_UNKNOWN || figure > INT64_MAX ? json_null()
	                                                    : json_integer((json_int_t)figure);
}

static json_t *text_or_null(const char *text)
{
	return *text != '\0' ? json_string(text) : json_null();
}

static json_t *by_variable(const uint64_t figures[QUANTITIES])
{
	json_t *object = json_object();

	for (int q = 0; q < QUANTITIES; q++)
		if (figures[q] > 0)
			json_object_set_new(object, quantity_kinds[q].variable, number(figures[q]));
	return object;
}

static json_t *json_of_worker(const struct worker_view *worker)
{
	return json_pack("{sI ss so so so so so so so so so so}", "pid", (json_int_t)worker->pid,
	                 "state", view_state_names[worker->state], "age", number(worker->age),
	                 "told_ago", number(worker->told_ago), "connections",
	                 number(worker->connections), "requests", number(worker->requests), "open",
	                 number(worker->open), "unshared", number(worker->unshared), "proportional",
	                 number(worker->proportional), "resident", number(worker->resident), "swapped",
	                 number(worker->swapped), "held_by", text_or_null(worker->held_by));
}

#define COUNT(member)                                                                              \
	{                                                                                              \
#member, offsetof(struct view_counts, member)                                              \
	}

static const struct {
	const char *name;
	size_t at;
} counted[] = {
    COUNT(leavings_asked), COUNT(leavings_all), COUNT(would_leave_all),  COUNT(spared),
    COUNT(deaths),         COUNT(replacements), COUNT(drains),           COUNT(connections),
    COUNT(requests),       COUNT(walks),        COUNT(walk_nanoseconds), COUNT(lost_lines),
    COUNT(waited),         COUNT(lived),        COUNT(served),           COUNT(left_ago),
};

static json_t *json_of_counts(const struct view_counts *counts)
{
	json_t *object = json_object();

	json_object_set_new(object, "leavings", by_variable(counts->leavings));
	json_object_set_new(object, "would_leave", by_variable(counts->would_leave));
	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
		const uint64_t *figure = (const void *)((const char *)counts + counted[i].at);

		json_object_set_new(object, counted[i].name, number(*figure));
	}
	return object;
}

struct json_t *view_json(const struct pool_view *pool)
{
	static const char *const replacing[] = {[VIEW_REPLACES] = "yes",
	                                        [VIEW_ON_TRIAL] = "on trial",
	                                        [VIEW_REPLACING_UNKNOWN] = "unknown"};
	json_t *workers = json_array();

	for (unsigned i = 0; i < pool->count; i++)
		json_array_append_new(workers, json_of_worker(&pool->workers[i]));
	return json_pack("{so ss so so ss ss ss so sb ss so so so so}", "master",
	                 pool->master != 0 ? json_integer(pool->master) : json_null(), "program",
	                 pool->program, "unit", text_or_null(pool->unit), "listeners",
	                 text_or_null(pool->listeners), "method", pool->method, "whose", pool->whose,
	                 "settings", pool->settings, "limit", by_variable(pool->limit), "is_dry_run",
	                 pool->is_dry_run, "replacing", replacing[pool->replacing], "age",
	                 number(pool->age), "vacancies", number(pool->vacancies), "counts",
	                 json_of_counts(&pool->counts), "workers", workers);
}
