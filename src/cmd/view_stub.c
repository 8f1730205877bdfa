/* view_stub.c - what slshim advise needs of view.h, until view.c is there: remove this file then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/pages.h"
#include "cmd/view.h"
#include "os/process.h"
#include "pool/figures.h"
#include "pool/slots.h"

static uint64_t known(uint64_t figure)
{
	return figure > 0 ? figure : VIEW_UNKNOWN;
}

static void fill_worker(struct worker_view *worker, const struct pool_slot *slot, uint64_t now)
{
	struct pool_figures told = pool_told(slot);
	bool has_told = told.told > 0 && told.told <= now;

	*worker = (struct worker_view){
	    .pid = (pid_t)(uint32_t)slot->holder,
	    .state = slot->died != 0 ? VIEW_DEAD : VIEW_SERVING,
	    .age = now - (slot->born > 0 ? slot->born : slot->entered),
	    .told_ago = has_told ? now - told.told : VIEW_UNKNOWN,
	    .connections = has_told ? told.served : VIEW_UNKNOWN,
	    .unshared = known(told.memory.unshared),
	    .proportional = known(told.memory.proportional),
	};
}

static void fill_pool(struct pool_view *view, const struct page *page)
{
	const struct pool_header *header = &page->pool->header;

	*view = (struct pool_view){.master = page->master};
	snprintf(view->program, sizeof view->program, "%s", header->program);
	snprintf(view->settings, sizeof view->settings, "%s", header->settings);
	view->limit[QUANTITY_UNSHARED] = header->limit[QUANTITY_UNSHARED];
	view->is_dry_run = strstr(header->settings, " SL_DRY_RUN=1") != NULL;
	view->counts.would_leave[QUANTITY_UNSHARED] = page->pool->dry_run.lives; /* of a minute */
	view->workers = calloc(slots_used(page->pool) + 1, sizeof *view->workers);
	for (unsigned i = 0; i < slots_used(page->pool) && view->workers != NULL; i++)
		if (page->pool->slots[i].holder >> 32 != 0)
			fill_worker(&view->workers[view->count++], &page->pool->slots[i], process_clock());
}

bool views_find(struct views *views, pid_t only)
{
	struct pages pages;

	*views = (struct views){.count = 0};
	if (!pages_find(&pages, only))
		return false;
	views->pools = calloc(pages.count + 1, sizeof *views->pools);
	for (unsigned i = 0; i < pages.count && views->pools != NULL; i++)
		fill_pool(&views->pools[views->count++], &pages.of[i]);
	pages_free(&pages);
	return true;
}

void views_free(struct views *views)
{
	for (unsigned i = 0; i < views->count; i++)
		free(views->pools[i].workers);
	free(views->pools);
}
