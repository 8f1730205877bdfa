/* metrics_views.c - no two figures of the pool "whole" are equal, so that none can be taken for
 * another. */
#include "metrics_views.h"

#include <string.h>

const char *const metrics_view_names[METRICS_VIEWS] = {"nothing", "whole",   "unknown",
                                                       "twins",   "hostile", "thousand"};

enum { POOLS = 6, WORKERS = 1100, UNMAPPED = 4 };

static struct worker_view workers[WORKERS];
static struct pool_view pools[POOLS];
static struct view_process unmapped[UNMAPPED], misconfigured[1];
static struct views views;

/* ---------------------------------------------------------------------- pools */

static struct pool_view *add_pool(pid_t master, const char *program, const char *listeners,
                                  const char *unit)
{
	struct pool_view *pool = &pools[views.count++];

	*pool = (struct pool_view){.master = master, .workers = workers};
	strcpy(pool->program, program);
	strcpy(pool->listeners, listeners);
	strcpy(pool->unit, unit);
	strcpy(pool->method, "USR1@close");
	strcpy(pool->whose, "its profile");
	pool->counts.left_ago = VIEW_UNKNOWN;
	return pool;
}

static void set_counts(struct view_counts *counts)
{
	*counts = (struct view_counts){
	    .leavings_asked = 301,
	    .leavings_all = 302,
	    .would_leave_all = 303,
	    .spared = 314,
	    .deaths = 304,
	    .replacements = 305,
	    .drains = 306,
	    .connections = 315,
	    .requests = 316,
	    .walks = 307,
	    .walk_nanoseconds = 12000000345,
	    .lost_lines = 308,
	    .waited = 309005,
	    .lived = 310000,
	    .served = 311,
	    .left_ago = 3000,
	};
	for (unsigned q = 0; q < QUANTITIES; q++) {
		counts->leavings[q] = 100 + q;
		counts->would_leave[q] = 200 + q;
	}
}

/* Of each state one, and two that stay for the same reason. The second serving one tells nothing.
 */
static void make_workers(void)
{
	static const enum view_state states[] = {VIEW_SERVING,  VIEW_SERVING, VIEW_WAITING,
	                                         VIEW_DRAINING, VIEW_AWAY,    VIEW_STAYING,
	                                         VIEW_STAYING,  VIEW_DEAD};

	for (unsigned i = 0; i < sizeof states / sizeof *states; i++) {
		struct worker_view *worker = &workers[i];

		*worker = (struct worker_view){.pid = 1001 + (pid_t)i, .state = states[i]};
		worker->age = 60000 + i * 1000;
		worker->told_ago = 1000 + i * 1000;
		worker->connections = 10 + i;
		worker->requests = 20 + i;
		worker->open = 30 + i;
		worker->unshared = 40000 + i;
		worker->proportional = 50000 + i;
		worker->resident = 60000 + i;
		worker->swapped = 70000 + i;
	}
	workers[1].told_ago = workers[1].connections = workers[1].requests = workers[1].open =
	    workers[1].unshared = workers[1].proportional = workers[1].resident = workers[1].swapped =
	        VIEW_UNKNOWN;
	strcpy(workers[5].held_by, "it has called listen() itself");
	strcpy(workers[6].held_by, "it has called listen() itself");
}

static void make_whole(void)
{
	struct pool_view *pool = add_pool(1000, "apache2", "127.0.0.1:80 [::1]:443", "apache2.service");

	make_workers();
	pool->count = 8;
	pool->is_dry_run = true;
	pool->vacancies = 312;
	for (unsigned q = 0; q < QUANTITIES; q++)
		pool->limit[q] = 500001 + q;
	pool->limit[QUANTITY_SIZE] = 0;
	set_counts(&pool->counts);
	views.unreadable = 313;
	views.unmapped_count = 3;
	strcpy(unmapped[0].program, "nginx");
	strcpy(unmapped[1].program, "cupsd");
	strcpy(unmapped[2].program, "nginx");
	views.misconfigured_count = 1;
	strcpy(misconfigured[0].program, "spamd");
}

static void make_unknown(void)
{
	struct pool_view *pool = add_pool(1000, "php-fpm", "", "");

	memset(&pool->counts, 0xFF, sizeof pool->counts);
	pool->vacancies = VIEW_UNKNOWN;
	pool->count = 2;
	memset(workers, 0xFF, 2 * sizeof *workers);
	for (int i = 0; i < 2; i++) {
		workers[i].pid = 1001 + i;
		workers[i].state = VIEW_SERVING;
		workers[i].held_by[0] = '\0';
	}
}

/* The old master and the new one of one service; two of containers, whose masters have no pid here,
 * and a page that says that it is theirs; and one that differs. */
static void make_twins(void)
{
	static const pid_t masters[] = {100, 200, 0, 0, 0, 100};

	for (unsigned i = 0; i < POOLS; i++) {
		struct pool_view *pool =
		    add_pool(masters[i], "unicorn", "0.0.0.0:80", i < 2 ? "a.service" : "b.service");

		pool->counts.deaths = i + 1;
	}
	strcpy(pools[5].unit, "c.service");
}

/* What gets here has no control characters; it is written as if it might. */
static void make_hostile(void)
{
	struct pool_view *pool = add_pool(1000, "a\"} 1\nslshim_deaths_total{program=\"b",
	                                  "\\\\\"\\ \xC2\x9B\xFF\x80 \t caf\xC3\xA9 \xF0\x9F\x90\x98",
	                                  "\x1B]0;title\x07.service\\");

	make_workers();
	pool->count = 8;
	workers[3].pid = workers[2].pid; /* twice */
	workers[7].pid = workers[6].pid; /* once dead, once not */
	workers[7].state = VIEW_SERVING;
	workers[6].state = VIEW_DEAD;
	strcpy(workers[4].held_by, "one\x01");
	workers[4].state = VIEW_STAYING;
	strcpy(workers[5].held_by, "one\x02");
	memset(pool->counts.leavings, 0xFE, sizeof pool->counts.leavings);
	pool->counts.left_ago = UINT64_MAX - 1;
	pool->limit[QUANTITY_UNSHARED] = 1;
	add_pool(1000, "a\"} 1\rslshim_deaths_total{program=\"b", pool->listeners, pool->unit);
	views.unmapped_count = 2;
	strcpy(unmapped[0].program, "x\x01");
	strcpy(unmapped[1].program, "x\x02");
}

static void make_thousand(void)
{
	struct pool_view *pool = add_pool(1000, "apache2", "[::]:80", "apache2.service");

	set_counts(&pool->counts);
	pool->count = WORKERS;
	for (unsigned i = 0; i < WORKERS; i++)
		workers[i] = (struct worker_view){.pid = 1001 + (pid_t)i, .state = VIEW_STAYING};
}

const struct views *metrics_views(const char *name)
{
	static void (*const makers[METRICS_VIEWS])(void) = {NULL,       make_whole,   make_unknown,
	                                                    make_twins, make_hostile, make_thousand};

	for (int i = 0; i < METRICS_VIEWS; i++)
		if (strcmp(name, metrics_view_names[i]) == 0) {
			memset(workers, 0, sizeof workers);
			views = (struct views){
			    .pools = pools, .unmapped = unmapped, .misconfigured = misconfigured};
			if (makers[i] != NULL)
				makers[i]();
			return &views;
		}
	return NULL;
}
