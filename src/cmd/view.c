/* view.c - finds the pools of this host. */
#include "cmd/view.h"

#include <stdlib.h>

#include "cmd/page_view.h"
#include "cmd/pages.h"
#include "os/process.h"

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
		if (pages.of[i].copy != NULL)
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
