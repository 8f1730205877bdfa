/* view_measure.c - the memory of workers that have not told theirs yet. */
#include <time.h>

#include "cmd/process_memory.h"
#include "cmd/view.h"

static uint64_t busy(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

/* The pid is from a page, and so may be anybody's. */
static void measure(struct worker_view *worker, pid_t master)
{
	struct process_memory process;

	if (!process_memory_identify(worker->pid, &process) || process.parent != master ||
	    !process_memory_read(worker->pid, &process))
		return;
	if (sample_knows(&process.sample, QUANTITY_UNSHARED))
		worker->unshared = process.sample.value[QUANTITY_UNSHARED];
	if (sample_knows(&process.sample, QUANTITY_PROPORTIONAL))
		worker->proportional = process.sample.value[QUANTITY_PROPORTIONAL];
	if (sample_knows(&process.sample, QUANTITY_RESIDENT))
		worker->resident = process.sample.value[QUANTITY_RESIDENT];
	if (sample_knows(&process.sample, QUANTITY_SWAPPED))
		worker->swapped = process.sample.value[QUANTITY_SWAPPED];
}

static void measure_pool(struct pool_view *pool, uint64_t begun, uint64_t budget)
{
	for (unsigned i = 0; i < pool->count && pool->master != 0; i++) {
		struct worker_view *worker = &pool->workers[i];

		if (worker->unshared != VIEW_UNKNOWN || worker->state == VIEW_DEAD)
			continue;
		if (busy() - begun > budget)
			return;
		measure(worker, pool->master);
	}
}

void views_measure(struct views *views, uint64_t budget)
{
	uint64_t begun = busy();

	for (unsigned i = 0; i < views->count; i++)
		measure_pool(&views->pools[i], begun, budget);
}
