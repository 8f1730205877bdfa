/* view_stub.c - stands in for src/cmd/view.c until that is there: pools that were never there. The
 * pid that one asks for is how many workers there are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/view.h"

const char *const view_state_names[VIEW_STATES] = {
    [VIEW_SERVING] = "serving", [VIEW_WAITING] = "waiting", [VIEW_DRAINING] = "draining",
    [VIEW_AWAY] = "away",       [VIEW_STAYING] = "staying", [VIEW_DEAD] = "dead"};

bool views_find(struct views *views, pid_t only)
{
	struct pool_view *pool = calloc(1, sizeof *pool);

	*views = (struct views){.pools = pool, .count = 1};
	strcpy(pool->program, "stub");
	pool->master = 1;
	pool->limit[QUANTITY_UNSHARED] = 50 << 20;
	pool->count = (unsigned)only;
	pool->workers = calloc((size_t)only + 1, sizeof *pool->workers);
	for (unsigned i = 0; i < pool->count; i++)
		pool->workers[i] = (struct worker_view){.pid = (pid_t)(100 + i),
		                                        .age = VIEW_UNKNOWN,
		                                        .unshared = (uint64_t)(time(NULL) % 40) << 20,
		                                        .proportional = (uint64_t)(time(NULL) % 60) << 20,
		                                        .resident = VIEW_UNKNOWN,
		                                        .swapped = 0};
	return true;
}

void views_free(struct views *views)
{
	free(views->pools->workers);
	free(views->pools);
}
