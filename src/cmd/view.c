/* view.c - reads pages. A pool as JSON:
 *
 *     {"master": 4711, "program": "apache2", "unit": "apache2.service", "listeners": "[::]:80",
 *      "method": "USR1@close", "whose": "apache2", "settings": " SL_MAX_UNSHARED=51200 KB ...",
 *      "limit": {"SL_MAX_UNSHARED": 52428800, ...}, "is_dry_run": false, "replacing": "yes",
 *      "age": 60000, "vacancies": 0,
 *      "counts": {"leavings": {"SL_MAX_UNSHARED": 3, ...}, "leavings_asked": 0, ...},
 *      "workers": [{"pid": 4712, "state": "serving", "age": 59000, ..., "held_by": null}, ...]} */
#include "cmd/view.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/pages.h"
#include "cmd/proc.h"
#include "os/line.h"
#include "os/number.h"
#include "os/process.h"
#include "pool/figures.h"
#include "pool/leases.h"
#include "pool/slots.h"
#include "pool/trials.h"

const char *const view_state_names[VIEW_STATES] = {
    [VIEW_SERVING] = "serving", [VIEW_WAITING] = "waiting", [VIEW_DRAINING] = "draining",
    [VIEW_AWAY] = "away",       [VIEW_STAYING] = "staying", [VIEW_DEAD] = "dead"};

static uint64_t since(uint64_t then, uint64_t now)
{
	return then != 0 && then <= now ? now - then : VIEW_UNKNOWN;
}

static uint64_t known(uint64_t figure)
{
	return figure != 0 ? figure : VIEW_UNKNOWN;
}

static void copy_text(char *to, size_t size, const char *text)
{
	struct line line;

	line_start(&line);
	line_text(&line, text);
	line_make_printable(&line);
	if (line.used >= size)
		line.text[size - 1] = '\0';
	strcpy(to, line.text);
}

/* --------------------------------------------------------------------- workers */

static enum view_state state_of(struct pool_slot *slot, const struct pool_figures *told,
                                const struct pool_header *header, uint64_t now)
{
	if (slot->holder & slot_has_left)
		return VIEW_AWAY;
	if (slot->died != 0)
		return VIEW_DEAD;
	if (told->phase == STAYING)
		return VIEW_STAYING;
	if (told->phase == LEAVING)
		return VIEW_AWAY;
	if (told->phase == DRAINING || slot_drains(slot, now, header->replaced_within))
		return VIEW_DRAINING;
	return slot->excess != 0 ? VIEW_WAITING : VIEW_SERVING;
}

static struct worker_view see_worker(const struct page *page, struct pool_slot *slot, uint64_t now)
{
	const struct pool_header *header = &page->copy->header;
	struct pool_figures told = pool_told(slot);
	bool has_told = since(told.told, now) != VIEW_UNKNOWN;
	struct worker_view worker = {
	    .pid = (pid_t)(uint32_t)slot->holder,
	    .state = state_of(slot, &told, header, now),
	    .age = since(slot->born != 0 ? slot->born : slot->entered, now),
	    .told_ago = since(told.told, now),
	    .connections = has_told ? told.served : VIEW_UNKNOWN,
	    .requests = has_told ? told.requests : VIEW_UNKNOWN,
	    .open = has_told ? told.open : VIEW_UNKNOWN,
	    .unshared = known(told.memory.unshared),
	    .proportional = known(told.memory.proportional),
	    .resident = known(told.resident),
	    .swapped = has_told && told.resident != 0 ? told.swapped : VIEW_UNKNOWN,
	};

	if (page->master != 0 && worker.state != VIEW_DEAD &&
	    !process_is_alive(worker.pid, slot->start_time))
		worker.state = worker.state == VIEW_AWAY ? VIEW_AWAY : VIEW_DEAD;
	copy_text(worker.held_by, sizeof worker.held_by, header->reasons[told.remark % POOL_REMARKS]);
	return worker;
}

static bool has_ended(const struct page *page, const struct worker_view *worker)
{
	return worker->state == VIEW_AWAY && page->master != 0 && proc_parent(worker->pid) == 0;
}

static int by_pid(const void *one, const void *other)
{
	pid_t first = ((const struct worker_view *)one)->pid;
	pid_t second = ((const struct worker_view *)other)->pid;

	return (first > second) - (first < second);
}

/* A slot that is being written belongs to nobody yet. */
static bool is_of_worker(uint64_t holder)
{
	return holder >> 63 == 0 && (holder >> 32 & ((1u << POOL_TAG_BITS) - 1)) != 0 &&
	       (uint32_t)holder != 0;
}

static void see_workers(struct pool_view *pool, const struct page *page, uint64_t now)
{
	unsigned used = slots_used(page->copy);

	pool->workers = calloc(used + 1, sizeof *pool->workers);
	for (unsigned i = 0; i < used && pool->workers != NULL; i++) {
		struct worker_view *worker = &pool->workers[pool->count];

		if (!is_of_worker(page->copy->slots[i].holder))
			continue;
		*worker = see_worker(page, &page->copy->slots[i], now);
		if (!has_ended(page, worker))
			pool->count++;
	}
	if (pool->count > 0)
		qsort(pool->workers, pool->count, sizeof *pool->workers, by_pid);
}

/* ----------------------------------------------------------------------- pools */

static bool is_first_of_tag(const struct pool_page *page, unsigned slot)
{
	uint64_t tag = page->slots[slot].holder >> 32 & ((1u << POOL_TAG_BITS) - 1);

	for (unsigned i = 0; i < slot; i++)
		if ((page->slots[i].holder >> 32 & ((1u << POOL_TAG_BITS) - 1)) == tag)
			return false;
	return true;
}

/* A master may have several pools, one for each listener: their vacancies are added up, and it is
 * on trial as long as one of them is. */
static void see_vacancies(struct pool_view *pool, struct pool_page *page, uint64_t now)
{
	pool->replacing = page->header.flags & POOL_IS_VOUCHED ? VIEW_REPLACES : VIEW_REPLACING_UNKNOWN;
	for (unsigned i = 0; i < slots_used(page); i++) {
		uint64_t holder = page->slots[i].holder;
		uint32_t tag = (uint32_t)(holder >> 32) & ((1u << POOL_TAG_BITS) - 1);
		enum trial trial;

		if (!is_of_worker(holder) || !is_first_of_tag(page, i))
			continue;
		pool->vacancies += lease_count_away(page, tag, now, page->header.replaced_within).count;
		trial = trial_read(page, tag);
		if (pool->replacing == VIEW_REPLACES && page->header.flags & POOL_IS_VOUCHED)
			continue;
		if (trial == TRIAL_OPEN)
			pool->replacing = VIEW_ON_TRIAL;
		else if (trial == TRIAL_PASSED && pool->replacing != VIEW_ON_TRIAL)
			pool->replacing = VIEW_REPLACES;
	}
	for (unsigned i = 0; i < pool->count; i++)
		pool->vacancies += pool->workers[i].state == VIEW_DEAD;
}

static struct view_counts see_counts(struct pool_page *page, uint64_t now)
{
	struct pool_counts *counts = &page->counts;
	struct view_counts view = {
	    .leavings_asked = counts->leavings[POOL_REASONS - 1],
	    .leavings_all = counts->left,
	    .would_leave_all = counts->would_have_left,
	    .spared = counts->spared,
	    .deaths = counts->deaths,
	    .replacements = counts->replacements,
	    .drains = counts->drains,
	    .walks = counts->walks,
	    .walk_nanoseconds = counts->walk_nanoseconds,
	    .lost_lines = page->lost.in_all,
	    .waited = counts->waited,
	    .lived = counts->lived,
	    .served = counts->served,
	    .left_ago = since(counts->left_at, now),
	};

	for (int q = 0; q < QUANTITIES; q++) {
		view.leavings[q] = counts->leavings[q];
		view.would_leave[q] = counts->would_leave[q];
	}
	return view;
}

static struct pool_view see(const struct page *page, uint64_t now)
{
	const struct pool_header *header = &page->copy->header;
	struct pool_view pool = {
	    .master = page->master,
	    .is_dry_run = header->flags & POOL_IS_DRY_RUN,
	    .age = since(header->made, now),
	    .counts = see_counts(page->copy, now),
	};

	copy_text(pool.program, sizeof pool.program, header->program);
	copy_text(pool.listeners, sizeof pool.listeners, header->listeners);
	copy_text(pool.method, sizeof pool.method, header->method);
	copy_text(pool.whose, sizeof pool.whose, header->whose);
	copy_text(pool.settings, sizeof pool.settings, header->settings);
	if (page->master != 0)
		proc_unit(page->master, pool.unit, sizeof pool.unit);
	copy_text(pool.unit, sizeof pool.unit, pool.unit);
	memcpy(pool.limit, header->limit, sizeof pool.limit);
	see_workers(&pool, page, now);
	see_vacancies(&pool, page->copy, now);
	return pool;
}

static int by_master(const void *one, const void *other)
{
	pid_t first = ((const struct pool_view *)one)->master;
	pid_t second = ((const struct pool_view *)other)->master;

	return (first > second) - (first < second);
}

/* The counts of a page with a new layout may be anything, and so may be the pids. */
bool views_find(struct views *views, pid_t only)
{
	uint64_t now = process_clock();
	struct pages pages;

	*views = (struct views){.count = 0};
	if (!pages_find(&pages, only))
		return false;
	views->pools = calloc(pages.count + 1, sizeof *views->pools);
	for (unsigned i = 0; i < pages.count && views->pools != NULL; i++)
		views->pools[views->count++] = see(&pages.of[i], now);
	if (views->count > 0)
		qsort(views->pools, views->count, sizeof *views->pools, by_master);
	views->unreadable = pages.unreadable;
	views->unmapped = pages.unmapped;
	views->unmapped_count = pages.unmapped_count;
	for (unsigned i = 0; i < views->unmapped_count; i++)
		copy_text(views->unmapped[i].program, sizeof views->unmapped[i].program,
		          views->unmapped[i].program);
	pages.unmapped = NULL;
	pages_free(&pages);
	return true;
}

void views_free(struct views *views)
{
	for (unsigned i = 0; i < views->count; i++)
		free(views->pools[i].workers);
	free(views->pools);
	free(views->unmapped);
}

/* ------------------------------------------------------------------------ sums */

static int by_size(const void *one, const void *other)
{
	uint64_t first = *(const uint64_t *)one, second = *(const uint64_t *)other;

	return (first > second) - (first < second);
}

static void find_middle(struct view_sums *sums, const struct pool_view *pool)
{
	uint64_t *sizes = calloc(pool->count + 1, sizeof *sizes);
	unsigned count = 0;

	for (unsigned i = 0; i < pool->count && sizes != NULL; i++)
		if (pool->workers[i].state <= VIEW_DRAINING && pool->workers[i].unshared != VIEW_UNKNOWN)
			sizes[count++] = pool->workers[i].unshared;
	if (count > 0) {
		qsort(sizes, count, sizeof *sizes, by_size);
		sums->unshared_median = sizes[(count - 1) / 2];
		sums->unshared_most = sizes[count - 1];
	}
	free(sizes);
}

static void add_worker(struct view_sums *sums, const struct worker_view *worker)
{
	sums->of_state[worker->state]++;
	if (worker->state > VIEW_DRAINING)
		return;
	if (worker->swapped != VIEW_UNKNOWN)
		sums->swapped = number_add(sums->swapped, worker->swapped);
	if (worker->unshared == VIEW_UNKNOWN || worker->proportional == VIEW_UNKNOWN) {
		sums->unmeasured++;
		return;
	}
	sums->measured++;
	sums->unshared = number_add(sums->unshared, worker->unshared);
	sums->proportional = number_add(sums->proportional, worker->proportional);
}

struct view_sums view_sum(const struct pool_view *pool)
{
	struct view_sums sums = {.unshared_median = VIEW_UNKNOWN, .unshared_most = VIEW_UNKNOWN};

	for (unsigned i = 0; i < pool->count; i++)
		add_worker(&sums, &pool->workers[i]);
	find_middle(&sums, pool);
	if (sums.proportional > sums.unshared)
		sums.shared_once = sums.proportional - sums.unshared;
	return sums;
}

/* ------------------------------------------------------------------------ JSON */

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

static json_t *json_of_counts(const struct view_counts *counts)
{
	return json_pack("{so so so so so so so so so so so so so so so so}", "leavings",
	                 by_variable(counts->leavings), "leavings_asked",
	                 number(counts->leavings_asked), "leavings_all", number(counts->leavings_all),
	                 "would_leave", by_variable(counts->would_leave), "would_leave_all",
	                 number(counts->would_leave_all), "spared", number(counts->spared), "deaths",
	                 number(counts->deaths), "replacements", number(counts->replacements), "drains",
	                 number(counts->drains), "walks", number(counts->walks), "walk_nanoseconds",
	                 number(counts->walk_nanoseconds), "lost_lines", number(counts->lost_lines),
	                 "waited", number(counts->waited), "lived", number(counts->lived), "served",
	                 number(counts->served), "left_ago", number(counts->left_ago));
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
