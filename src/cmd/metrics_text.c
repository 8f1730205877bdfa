/* metrics_text.c - a table of the metrics, and what writes each kind of them.
 *
 * Pools are told apart by program, listener and unit. Where these are the same, as while a master
 * is replaced by its successor, the pools have their masters as a label, too, and only as long as
 * that lasts: with a label that changes at each start all series would begin anew. */
#define _GNU_SOURCE /* open_memstream */
#include "cmd/metrics_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "quantity.h"

/* How a number is written. What happened some milliseconds ago is written as seconds since 1970. */
enum form { WHOLE, MILLISECONDS, NANOSECONDS, AGO };

struct subject {
	const struct pool_view *pool;
	struct view_sums sums;
	bool is_ambiguous; /* another pool has the same program, listener and unit */
	unsigned earlier;  /* pools before it that have the same master, too */
	char master[64];
};

struct writer {
	struct exposition exposition;
	const struct views *views;
	const struct metrics_wish *wish;
	struct subject *subjects; /* as many as pools */
};

struct metric {
	struct family family;
	struct {
		void (*write)(struct writer *writer, const struct metric *metric,
		              const struct subject *subject);
		size_t at; /* of the value, in what `write` looks at */
		enum form form;
	} from;
};

/* -------------------------------------------------------------------- samples */

static uint64_t number_at(const void *structure, size_t at)
{
	uint64_t number;

	memcpy(&number, (const char *)structure + at, sizeof number);
	return number;
}

static bool is_known(enum form form, uint64_t value, uint64_t now)
{
	return value != VIEW_UNKNOWN && (form != AGO || value <= now);
}

enum { VALUE_SIZE = 40 };
static void format_value(char text[VALUE_SIZE], enum form form, uint64_t value, uint64_t now)
{
	switch (form) {
	case WHOLE:
		snprintf(text, VALUE_SIZE, "%" PRIu64, value);
		break;
	case MILLISECONDS:
		snprintf(text, VALUE_SIZE, "%" PRIu64 ".%03u", value / 1000, (unsigned)(value % 1000));
		break;
	case NANOSECONDS:
		snprintf(text, VALUE_SIZE, "%" PRIu64 ".%09u", value / 1000000000,
		         (unsigned)(value % 1000000000));
		break;
	case AGO:
		snprintf(text, VALUE_SIZE, "%" PRIu64, (now - value) / 1000);
	}
}

static void put(struct writer *writer, const struct metric *metric, const struct label *labels,
                uint64_t value)
{
	char text[VALUE_SIZE];

	if (!is_known(metric->from.form, value, writer->wish->now))
		return;
	format_value(text, metric->from.form, value, writer->wish->now);
	exposition_put(&writer->exposition, &metric->family, labels, text);
}

/* Of a pool, or of the part of it that at most two more labels tell. */
static void put_sample(struct writer *writer, const struct metric *metric,
                       const struct subject *subject, const struct label *more, uint64_t value)
{
	struct label labels[7] = {{"program", subject->pool->program},
	                          {"listener", subject->pool->listeners},
	                          {"unit", subject->pool->unit}};
	int count = 3;

	if (subject->is_ambiguous)
		labels[count++] = (struct label){"master", subject->master};
	for (; more->name != NULL; more++)
		labels[count++] = *more;
	labels[count] = (struct label){NULL, NULL};
	put(writer, metric, labels, value);
}

static void put_whole(struct writer *writer, const struct metric *metric,
                      const struct subject *subject, uint64_t value)
{
	put_sample(writer, metric, subject, &(struct label){NULL, NULL}, value);
}

static void put_part(struct writer *writer, const struct metric *metric,
                     const struct subject *subject, const char *name, const char *part,
                     uint64_t value)
{
	put_sample(writer, metric, subject, (struct label[]){{name, part}, {NULL, NULL}}, value);
}

/* ------------------------------------------------------------------- of a pool */

static void write_of_pool(struct writer *writer, const struct metric *metric,
                          const struct subject *subject)
{
	put_whole(writer, metric, subject, number_at(subject->pool, metric->from.at));
}

static void write_of_sums(struct writer *writer, const struct metric *metric,
                          const struct subject *subject)
{
	put_whole(writer, metric, subject, number_at(&subject->sums, metric->from.at));
}

static void write_info(struct writer *writer, const struct metric *metric,
                       const struct subject *subject)
{
	struct label labels[] = {{"method", subject->pool->method},
	                         {"dry_run", subject->pool->is_dry_run ? "true" : "false"},
	                         {NULL, NULL}};

	put_sample(writer, metric, subject, labels, 1);
}

static void write_states(struct writer *writer, const struct metric *metric,
                         const struct subject *subject)
{
	for (int s = 0; s < VIEW_STATES; s++)
		put_part(writer, metric, subject, "state", view_state_names[s], subject->sums.of_state[s]);
}

static void write_unmeasured(struct writer *writer, const struct metric *metric,
                             const struct subject *subject)
{
	put_whole(writer, metric, subject, subject->sums.unmeasured);
}

/* `at` is an enum unit: that of the quantities whose limits are written. */
static void write_limits(struct writer *writer, const struct metric *metric,
                         const struct subject *subject)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (quantity_kinds[q].unit == (enum unit)metric->from.at && subject->pool->limit[q] != 0)
			put_part(writer, metric, subject, "quantity", quantity_kinds[q].name,
			         subject->pool->limit[q]);
}

/* `at` is that of an array of counts by quantity. A count of what has a limit is there before it
 * counts anything, because Prometheus takes no first value for an increase. */
static void write_reasons(struct writer *writer, const struct metric *metric,
                          const struct subject *subject)
{
	for (size_t q = 0; q < QUANTITIES; q++) {
		uint64_t count = number_at(subject->pool, metric->from.at + q * sizeof(uint64_t));

		if (count > 0 || subject->pool->limit[q] != 0)
			put_part(writer, metric, subject, "reason", quantity_kinds[q].name, count);
	}
}

static void write_leavings(struct writer *writer, const struct metric *metric,
                           const struct subject *subject)
{
	write_reasons(writer, metric, subject);
	put_part(writer, metric, subject, "reason", "asked", subject->pool->counts.leavings_asked);
}

/* --------------------------------------------------------------------- staying */

static bool stays_for(const struct worker_view *worker, const char *reason)
{
	return worker->state == VIEW_STAYING && exposition_is_same(worker->held_by, reason);
}

static bool is_first_to_stay(const struct pool_view *pool, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (stays_for(&pool->workers[i], pool->workers[index].held_by))
			return false;
	return pool->workers[index].state == VIEW_STAYING;
}

static void write_stays(struct writer *writer, const struct metric *metric,
                        const struct subject *subject)
{
	const struct pool_view *pool = subject->pool;

	for (unsigned i = 0; i < pool->count; i++) {
		uint64_t count = 0;

		if (!is_first_to_stay(pool, i))
			continue;
		for (unsigned other = i; other < pool->count; other++)
			count += stays_for(&pool->workers[other], pool->workers[i].held_by);
		put_part(writer, metric, subject, "reason", pool->workers[i].held_by, count);
	}
}

/* ------------------------------------------------------------------ of workers */

/* The pid of one that has died may be another's by now. Workers are sorted by pid; of two that live
 * and have the same the second is a claim of a page that lies. */
static bool is_shown(const struct pool_view *pool, unsigned index)
{
	const struct worker_view *worker = &pool->workers[index];

	for (unsigned i = index; i > 0 && pool->workers[i - 1].pid == worker->pid; i--)
		if (pool->workers[i - 1].state != VIEW_DEAD)
			return false;
	return worker->state != VIEW_DEAD;
}

static void put_worker(struct writer *writer, const struct metric *metric,
                       const struct subject *subject, const struct worker_view *worker,
                       const char *state, uint64_t value)
{
	char pid[32];
	struct label labels[] = {{"pid", pid}, {state != NULL ? "state" : NULL, state}, {NULL, NULL}};

	snprintf(pid, sizeof pid, "%d", (int)worker->pid);
	put_sample(writer, metric, subject, labels, value);
}

static void write_of_workers(struct writer *writer, const struct metric *metric,
                             const struct subject *subject)
{
	for (unsigned i = 0; i < subject->pool->count; i++)
		if (is_shown(subject->pool, i))
			put_worker(writer, metric, subject, &subject->pool->workers[i], NULL,
			           number_at(&subject->pool->workers[i], metric->from.at));
}

static void write_worker_states(struct writer *writer, const struct metric *metric,
                                const struct subject *subject)
{
	for (unsigned i = 0; i < subject->pool->count; i++)
		if (is_shown(subject->pool, i))
			put_worker(writer, metric, subject, &subject->pool->workers[i],
			           view_state_names[subject->pool->workers[i].state], 1);
}

/* ------------------------------------------------------------------- of a host */

static void write_unreadable(struct writer *writer, const struct metric *metric,
                             const struct subject *none)
{
	(void)none;
	put(writer, metric, &(struct label){NULL, NULL}, writer->views->unreadable);
}

static bool is_first_of_name(const struct view_process *processes, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (exposition_is_same(processes[i].program, processes[index].program))
			return false;
	return true;
}

static void write_processes(struct writer *writer, const struct metric *metric,
                            const struct view_process *processes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const char *program = processes[i].program;
		uint64_t same = 0;

		if (!is_first_of_name(processes, i))
			continue;
		for (unsigned other = i; other < count; other++)
			same += exposition_is_same(processes[other].program, program);
		put(writer, metric, (struct label[]){{"program", program}, {NULL, NULL}}, same);
	}
}

static void write_unmapped(struct writer *writer, const struct metric *metric,
                           const struct subject *none)
{
	(void)none;
	write_processes(writer, metric, writer->views->unmapped, writer->views->unmapped_count);
}

static void write_misconfigured(struct writer *writer, const struct metric *metric,
                                const struct subject *none)
{
	(void)none;
	write_processes(writer, metric, writer->views->misconfigured,
	                writer->views->misconfigured_count);
}

/* ---------------------------------------------------------------------- metrics */

#define BYTES            "bytes"
#define SECONDS          "seconds"
#define COUNT_AT(field)  offsetof(struct pool_view, counts.field)
#define SUM_AT(field)    offsetof(struct view_sums, field)
#define WORKER_AT(field) offsetof(struct worker_view, field)

static const struct metric of_pools[] = {
    {{"slshim_pool", INFO, NULL,
      "A pool: the exit method of its workers, and whether SL_DRY_RUN is set."},
     {write_info, 0, WHOLE}},
    {{"slshim_workers", GAUGE, NULL, "Workers by what they do."}, {write_states, 0, WHOLE}},

    {{"slshim_unshared_bytes", GAUGE, BYTES,
      "Memory that belongs to one worker alone, of all workers together."},
     {write_of_sums, SUM_AT(unshared), WHOLE}},
    {{"slshim_proportional_bytes", GAUGE, BYTES,
      "Memory of all workers together, each page divided by the number of processes that map it."},
     {write_of_sums, SUM_AT(proportional), WHOLE}},
    {{"slshim_swapped_bytes", GAUGE, BYTES,
      "Memory that was swapped out, of all workers together."},
     {write_of_sums, SUM_AT(swapped), WHOLE}},
    {{"slshim_shared_once_bytes", GAUGE, BYTES,
      "Proportional memory of all workers together less their unshared memory."},
     {write_of_sums, SUM_AT(shared_once), WHOLE}},
    {{"slshim_worker_unshared_median_bytes", GAUGE, BYTES,
      "Median of the unshared memory of the workers."},
     {write_of_sums, SUM_AT(unshared_median), WHOLE}},
    {{"slshim_worker_unshared_max_bytes", GAUGE, BYTES,
      "Unshared memory of the worker that has most of it."},
     {write_of_sums, SUM_AT(unshared_most), WHOLE}},
    {{"slshim_unmeasured_workers", GAUGE, NULL,
      "Workers whose memory is not known, and which the sums leave out."},
     {write_unmeasured, 0, WHOLE}},

    {{"slshim_limit_bytes", GAUGE, BYTES,
      "A limit on memory; on shared memory it is the least that a worker must share."},
     {write_limits, UNIT_BYTES, WHOLE}},
    {{"slshim_limit_seconds", GAUGE, SECONDS, "A limit on age or processor time."},
     {write_limits, UNIT_MILLISECONDS, MILLISECONDS}},
    {{"slshim_limit_events", GAUGE, NULL, "A limit on connections, requests or open descriptors."},
     {write_limits, UNIT_COUNT, WHOLE}},

    {{"slshim_leavings", COUNTER, NULL,
      "Workers that left, by the limits that they were over; one may have been over several."},
     {write_leavings, COUNT_AT(leavings), WHOLE}},
    {{"slshim_workers_left", COUNTER, NULL, "Workers that left, each counted once."},
     {write_of_pool, COUNT_AT(leavings_all), WHOLE}},
    {{"slshim_would_leave", COUNTER, NULL,
      "Workers that would have left without SL_DRY_RUN, by the limits that they were over."},
     {write_reasons, COUNT_AT(would_leave), WHOLE}},
    {{"slshim_workers_would_leave", COUNTER, NULL,
      "Workers that would have left without SL_DRY_RUN, each counted once."},
     {write_of_pool, COUNT_AT(would_leave_all), WHOLE}},
    {{"slshim_spared", COUNTER, NULL,
      "Times that a limit did not count, because leaving would not have helped."},
     {write_of_pool, COUNT_AT(spared), WHOLE}},
    {{"slshim_last_leaving_timestamp_seconds", GAUGE, SECONDS, "When the last worker left."},
     {write_of_pool, COUNT_AT(left_ago), AGO}},
    {{"slshim_deaths", COUNTER, NULL, "Workers that ended without slshim."},
     {write_of_pool, COUNT_AT(deaths), WHOLE}},
    {{"slshim_replacements", COUNTER, NULL,
      "Workers that took the place of one that had left or died."},
     {write_of_pool, COUNT_AT(replacements), WHOLE}},
    {{"slshim_unfilled_vacancies", GAUGE, NULL, "Workers that are away and not yet replaced."},
     {write_of_pool, offsetof(struct pool_view, vacancies), WHOLE}},
    {{"slshim_stays", GAUGE, NULL, "Workers that never leave by slshim, by the reason."},
     {write_stays, 0, WHOLE}},
    {{"slshim_connections", COUNTER, NULL,
      "Connections that workers accepted, as far as they have told."},
     {write_of_pool, COUNT_AT(connections), WHOLE}},
    {{"slshim_requests", COUNTER, NULL,
      "Requests that the application reported as done, as far as workers have told."},
     {write_of_pool, COUNT_AT(requests), WHOLE}},
    {{"slshim_drains", COUNTER, NULL,
      "Times that a worker stopped accepting in order to finish what was open."},
     {write_of_pool, COUNT_AT(drains), WHOLE}},

    {{"slshim_turn_wait_seconds", COUNTER, SECONDS,
      "Time that the workers that left had waited for their turn."},
     {write_of_pool, COUNT_AT(waited), MILLISECONDS}},
    {{"slshim_lifetime_seconds", COUNTER, SECONDS, "Age of the workers that left."},
     {write_of_pool, COUNT_AT(lived), MILLISECONDS}},
    {{"slshim_lifetime_connections", COUNTER, NULL,
      "Connections that the workers that left had served."},
     {write_of_pool, COUNT_AT(served), WHOLE}},

    {{"slshim_walks", COUNTER, NULL, "Measurements that walked the page tables of a worker."},
     {write_of_pool, COUNT_AT(walks), WHOLE}},
    {{"slshim_walk_seconds", COUNTER, SECONDS, "Time that these took."},
     {write_of_pool, COUNT_AT(walk_nanoseconds), NANOSECONDS}},
    {{"slshim_lost_log_lines", COUNTER, NULL, "Lines that slshim could not write to the log."},
     {write_of_pool, COUNT_AT(lost_lines), WHOLE}},
};

static const struct metric of_workers[] = {
    {{"slshim_worker_state", GAUGE, NULL, "What a worker does."}, {write_worker_states, 0, WHOLE}},
    {{"slshim_worker_start_time_seconds", GAUGE, SECONDS, "When a worker was forked."},
     {write_of_workers, WORKER_AT(age), AGO}},
    {{"slshim_worker_measured_timestamp_seconds", GAUGE, SECONDS,
      "When a worker last told its figures."},
     {write_of_workers, WORKER_AT(told_ago), AGO}},
    {{"slshim_worker_unshared_bytes", GAUGE, BYTES, "Memory that belongs to a worker alone."},
     {write_of_workers, WORKER_AT(unshared), WHOLE}},
    {{"slshim_worker_proportional_bytes", GAUGE, BYTES,
      "Memory of a worker, each page divided by the number of processes that map it."},
     {write_of_workers, WORKER_AT(proportional), WHOLE}},
    {{"slshim_worker_resident_bytes", GAUGE, BYTES, "Resident memory of a worker, shared or not."},
     {write_of_workers, WORKER_AT(resident), WHOLE}},
    {{"slshim_worker_swapped_bytes", GAUGE, BYTES, "Memory of a worker that was swapped out."},
     {write_of_workers, WORKER_AT(swapped), WHOLE}},
    {{"slshim_worker_connections", COUNTER, NULL, "Connections that a worker has accepted."},
     {write_of_workers, WORKER_AT(connections), WHOLE}},
    {{"slshim_worker_requests", COUNTER, NULL,
      "Requests that the application of a worker has counted."},
     {write_of_workers, WORKER_AT(requests), WHOLE}},
    {{"slshim_worker_open_connections", GAUGE, NULL, "Connections that a worker has open."},
     {write_of_workers, WORKER_AT(open), WHOLE}},
};

static const struct metric of_host[] = {
    {{"slshim_unreadable_pools", GAUGE, NULL, "Pools that slshim metrics may not read."},
     {write_unreadable, 0, WHOLE}},
    {{"slshim_unmapped_processes", GAUGE, NULL,
      "Processes whose environment preloads the library and which do not have it."},
     {write_unmapped, 0, WHOLE}},
    {{"slshim_configuration_errors", GAUGE, NULL,
      "Servers in which slshim is off because a setting is wrong."},
     {write_misconfigured, 0, WHOLE}},
};

#define ROWS(table) (sizeof(table) / sizeof *(table))

/* ------------------------------------------------------------------------- text */

static bool knows_swapped(const struct pool_view *pool)
{
	for (unsigned i = 0; i < pool->count; i++)
		if (pool->workers[i].state <= VIEW_DRAINING && pool->workers[i].swapped != VIEW_UNKNOWN)
			return true;
	return false;
}

/* A sum of nothing that is known is not 0. */
static void forget_unknown(struct view_sums *sums, const struct pool_view *pool)
{
	if (sums->measured == 0)
		sums->unshared = sums->proportional = sums->shared_once = VIEW_UNKNOWN;
	if (!knows_swapped(pool))
		sums->swapped = VIEW_UNKNOWN;
}

static bool have_same_labels(const struct pool_view *one, const struct pool_view *other)
{
	return exposition_is_same(one->program, other->program) &&
	       exposition_is_same(one->listeners, other->listeners) &&
	       exposition_is_same(one->unit, other->unit);
}

/* "4711"; of a second pool "4711 (2)". */
static void name_master(struct subject *subject)
{
	pid_t master = subject->pool->master;
	int length = master != 0 ? snprintf(subject->master, sizeof subject->master, "%d", (int)master)
	                         : snprintf(subject->master, sizeof subject->master, "unknown");

	if (subject->earlier > 0)
		snprintf(subject->master + length, sizeof subject->master - (size_t)length, " (%u)",
		         subject->earlier + 1);
}

static void prepare(struct subject *subjects, const struct views *views)
{
	for (unsigned i = 0; i < views->count; i++) {
		struct subject *subject = &subjects[i];

		subject->pool = &views->pools[i];
		subject->sums = view_sum(subject->pool);
		forget_unknown(&subject->sums, subject->pool);
		for (unsigned other = 0; other < i; other++)
			if (have_same_labels(subject->pool, subjects[other].pool)) {
				subject->is_ambiguous = subjects[other].is_ambiguous = true;
				subject->earlier += subject->pool->master == subjects[other].pool->master;
			}
		name_master(subject);
	}
}

static void write_all(struct writer *writer, const struct metric *metrics, size_t count)
{
	for (const struct metric *metric = metrics; metric < metrics + count; metric++)
		for (unsigned i = 0; i < writer->views->count; i++)
			metric->from.write(writer, metric, &writer->subjects[i]);
}

static void write_text(struct writer *writer)
{
	prepare(writer->subjects, writer->views);
	write_all(writer, of_pools, ROWS(of_pools));
	if (writer->wish->per_worker)
		write_all(writer, of_workers, ROWS(of_workers));
	for (size_t i = 0; i < ROWS(of_host); i++)
		of_host[i].from.write(writer, &of_host[i], NULL);
	exposition_end(&writer->exposition);
}

char *metrics_text(const struct views *views, const struct metrics_wish *wish, size_t *length)
{
	struct writer writer = {.views = views, .wish = wish, .exposition.format = wish->format};
	char *text = NULL;
	bool is_whole = false;
	FILE *stream;

	writer.subjects = calloc(views->count + 1, sizeof *writer.subjects);
	stream = writer.subjects != NULL ? open_memstream(&text, length) : NULL;
	if (stream != NULL) {
		writer.exposition.stream = stream;
		write_text(&writer);
		is_whole = !ferror(stream);
		is_whole = fclose(stream) == 0 && is_whole;
	}
	free(writer.subjects);
	if (is_whole)
		return text;
	free(text);
	return NULL;
}
