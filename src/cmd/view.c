/* view.c - finds the pools of this host. */
#include "cmd/view.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/page_view.h"
#include "cmd/pages.h"
#include "os/number.h"
#include "os/process.h"

static int by_master(const void *one, const void *other)
{
	const struct pool_view *first = one, *second = other;
	int order = (first->master > second->master) - (first->master < second->master);

	if (order == 0)
		order = strcmp(first->program, second->program);
	return order != 0 ? order : strcmp(first->listeners, second->listeners);
}

static void make_sound(struct view_process *processes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		page_view_text(processes[i].program, sizeof processes[i].program, processes[i].program);
}

/* ---------------------------------------------------------- workers by execve */

/* Each of these may have a page of its own, as where a profile vouches for their master. */
static bool are_one_pool(const struct pool_view *one, const struct pool_view *other)
{
	return one->is_of_started && other->is_of_started && one->master == other->master &&
	       strcmp(one->program, other->program) == 0 &&
	       strcmp(one->listeners, other->listeners) == 0;
}

/* Figures that are told once a second may be garbage, so the sums saturate. */
static void add_counts(struct view_counts *to, const struct view_counts *counts)
{
	uint64_t *sums = (uint64_t *)to, left_ago = to->left_ago;
	const uint64_t *figures = (const uint64_t *)counts;

	_Static_assert(sizeof *to % sizeof *sums == 0, "it consists of counts");
	for (size_t i = 0; i < sizeof *to / sizeof *sums; i++)
		sums[i] = number_add(sums[i], figures[i]);
	to->left_ago = counts->left_ago < left_ago ? counts->left_ago : left_ago;
}

static bool add_workers(struct pool_view *to, const struct pool_view *pool)
{
	size_t count = (size_t)to->count + pool->count;
	struct worker_view *workers = realloc(to->workers, (count + 1) * sizeof *workers);

	if (workers == NULL)
		return false;
	if (pool->count > 0)
		memcpy(workers + to->count, pool->workers, pool->count * sizeof *workers);
	to->workers = workers;
	to->count = (unsigned)count;
	page_view_sort(to);
	return true;
}

/* Adds a pool to the one before it, if it is the same. */
static bool join(struct pool_view *to, struct pool_view *pool)
{
	if (!are_one_pool(to, pool) || !add_workers(to, pool))
		return false;
	free(pool->workers);
	add_counts(&to->counts, &pool->counts);
	to->vacancies = number_add(to->vacancies, pool->vacancies);
	to->age = pool->age > to->age ? pool->age : to->age;
	return true;
}

/* Is it the page of a master that has no other workers? */
static bool is_of_starter(const struct views *views, const struct pool_view *pool)
{
	for (unsigned i = 0; i < views->count && pool->count == 0 && !pool->is_of_started; i++)
		if (views->pools[i].is_of_started && views->pools[i].master == pool->master)
			return true;
	return false;
}

static void join_started(struct views *views)
{
	unsigned count = 0;

	for (unsigned i = 0; i < views->count; i++)
		if (is_of_starter(views, &views->pools[i]))
			free(views->pools[i].workers);
		else if (count == 0 || !join(&views->pools[count - 1], &views->pools[i]))
			views->pools[count++] = views->pools[i];
	views->count = count;
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
		if (pages.of[i].copy != NULL)
			views->pools[views->count++] = page_view(&pages.of[i], now);
	if (views->count > 0)
		qsort(views->pools, views->count, sizeof *views->pools, by_master);
	join_started(views);
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
