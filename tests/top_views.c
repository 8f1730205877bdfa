/* top_views.c - see top_views.h. */
#include "top_views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 50 << 20 };
static const uint64_t hour = 3600000;

/* ----------------------------------------------------------------------- figures */

static void hold(struct worker_view *worker, unsigned n)
{
	static const char *const reasons[] = {
	    "for as long as it has connections open",
	    "for as long as it has a timer armed; set SL_LEAVE=_exit@idle if the work may be dropped",
	    "3 workers are away",
	};

	snprintf(worker->held_by, sizeof worker->held_by, "%s", reasons[n % 3]);
}

static void make_worker(struct worker_view *worker, unsigned n, unsigned look)
{
	uint64_t grown = (uint64_t)(n * 7919u % 53) << 20;

	*worker = (struct worker_view){
	    .pid = (pid_t)(4712 + n * 3),
	    .state = VIEW_SERVING,
	    .age = (uint64_t)n * n * 977 + look * 1000,
	    .told_ago = n % 7 * 300,
	    .connections = (uint64_t)n * 131 + look * 17,
	    .requests = VIEW_UNKNOWN,
	    .open = n % 3,
	    .unshared = (4 << 20) + grown + (look % 10 << 18),
	    .proportional = (9 << 20) + grown,
	    .resident = (260 << 20) + grown,
	    .swapped = n % 5 == 0 ? (uint64_t)n << 12 : 0,
	};
	if (worker->unshared > LIMIT) {
		worker->state = n % 4 == 0 ? VIEW_AWAY : n % 4 == 1 ? VIEW_DRAINING : VIEW_WAITING;
		hold(worker, n);
	}
	if (n % 61 == 60)
		worker->state = VIEW_DEAD;
	if (n % 13 == 12)
		worker->told_ago = worker->connections = worker->open = worker->unshared =
		    worker->proportional = worker->resident = worker->swapped = VIEW_UNKNOWN;
}

static void set_texts(struct pool_view *pool, unsigned workers)
{
	const char *program = workers == 1 ? "gunicorn" : workers < 64 ? "php-fpm8.2" : "apache2";

	snprintf(pool->program, sizeof pool->program, "%s", program);
	snprintf(pool->unit, sizeof pool->unit, "%s.service", program);
	snprintf(pool->listeners, sizeof pool->listeners, "0.0.0.0:80 [::]:80");
	snprintf(pool->method, sizeof pool->method, "USR1@close");
	snprintf(pool->whose, sizeof pool->whose, "the profile of this server");
	snprintf(pool->settings, sizeof pool->settings,
	         " SL_MAX_UNSHARED=51200 KB SL_CHECK_EVERY=1 SL_MAX_LEAVING=10%% SL_PROBE=auto "
	         "SL_PROBE_BUDGET=1%%");
}

void made_up_add(struct views *views, unsigned workers, unsigned look)
{
	struct pool_view *pool, *more;

	more = realloc(views->pools, (views->count + 1) * sizeof *more);
	if (more == NULL)
		abort();
	views->pools = more;
	pool = &views->pools[views->count++];
	memset(pool, 0, sizeof *pool);
	pool->master = (pid_t)(4000 + views->count);
	set_texts(pool, workers);
	pool->limit[QUANTITY_UNSHARED] = LIMIT;
	pool->limit[QUANTITY_AGE] = hour;
	pool->replacing = workers == 1 ? VIEW_ON_TRIAL : VIEW_REPLACES;
	pool->age = 3 * hour + 780000 + look * 1000;
	pool->vacancies = workers > 8;
	pool->counts = (struct view_counts){.leavings_all = 132 + look * 2,
	                                    .replacements = 131 + look * 2,
	                                    .deaths = 2,
	                                    .left_ago = 3200};
	pool->counts.leavings[QUANTITY_UNSHARED] = 120 + look * 2;
	pool->counts.leavings[QUANTITY_AGE] = 12;
	pool->count = workers;
	pool->workers = calloc(workers + 1, sizeof *pool->workers);
	if (pool->workers == NULL)
		abort();
	for (unsigned i = 0; i < workers; i++)
		make_worker(&pool->workers[i], i, look);
}

void views_free(struct views *views)
{
	for (unsigned i = 0; i < views->count; i++)
		free(views->pools[i].workers);
	free(views->pools);
	free(views->unmapped);
}

/* ------------------------------------------------------------------------- sums */
