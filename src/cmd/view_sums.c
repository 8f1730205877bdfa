/* view_sums.c - what the workers of a pool have together. Pure. */
#include <stdlib.h>

#include "cmd/view.h"
#include "os/number.h"

const char *const view_state_names[VIEW_STATES] = {
    [VIEW_SERVING] = "serving", [VIEW_WAITING] = "waiting", [VIEW_DRAINING] = "draining",
    [VIEW_AWAY] = "away",       [VIEW_STAYING] = "staying", [VIEW_DEAD] = "dead"};

static bool is_there(const struct worker_view *worker)
{
	return worker->state != VIEW_AWAY && worker->state != VIEW_DEAD;
}

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
		if (is_there(&pool->workers[i]) && pool->workers[i].unshared != VIEW_UNKNOWN)
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
	if (!is_there(worker))
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
