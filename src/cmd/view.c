/* view.c - finds pools, and adds up what their workers have. */
#include "cmd/view.h"

#include <stdlib.h>

#include "cmd/page_view.h"
#include "cmd/pages.h"
#include "os/number.h"
#include "os/process.h"

const char *const view_state_names[VIEW_STATES] = {
    [VIEW_SERVING] = "serving", [VIEW_WAITING] = "waiting", [VIEW_DRAINING] = "draining",
    [VIEW_AWAY] = "away",       [VIEW_STAYING] = "staying", [VIEW_DEAD] = "dead"};

static int by_master(const void *one, const void *other)
{
	pid_t first = ((const struct pool_view *)one)->master;
	pid_t second = ((const struct pool_view *)other)->master;

	return (first > second) - (first < second);
}

static void make_sound(struct view_process *processes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		page_view_text(processes[i].program, sizeof processes[i].program, processes[i].program);
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
		views->pools[views->count++] = page_view(&pages.of[i], now);
	if (views->count > 0)
		qsort(views->pools, views->count, sizeof *views->pools, by_master);
	views->unreadable = pages.unreadable;
	views->unmapped = pages.unmapped;
	views->unmapped_count = pages.unmapped_count;
	views->misconfigured = pages.misconfigured;
	views->misconfigured_count = pages.misconfigured_count;
	make_sound(views->unmapped, views->unmapped_count);
	make_sound(views->misconfigured, views->misconfigured_count);
	pages.unmapped = pages.misconfigured = NULL;
	pages_free(&pages);
	return true;
}

void views_free(struct views *views)
{
	for (unsigned i = 0; i < views->count; i++)
		free(views->pools[i].workers);
	free(views->pools);
	free(views->unmapped);
	free(views->misconfigured);
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
