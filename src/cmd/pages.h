/* pages.h - finds the pages of this host's pools: through /proc, where a master or a worker has one
 * mapped, and in the directory that SL_STATUS names. Each page is hostile input.
 *
 * May not know: what is in a page, or what is shown of it. */
#ifndef SLSHIM_PAGES_H
#define SLSHIM_PAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cmd/view.h"
#include "pool/pool.h"

struct page {
	struct pool_page *copy; /* NULL: it may not be read */
	uint64_t inode;
	pid_t master; /* of its workers; 0: it is a file of SL_STATUS only, so that is not known */
};

struct pages {
	struct page *of;
	unsigned count;
	struct view_process *unmapped, *misconfigured;
	unsigned unmapped_count, misconfigured_count;
	unsigned unreadable; /* pages that there are and that may not be read */
};

/* Looks at all processes, or at `only` and its master, if that is not 0. False with
 * errno if /proc cannot be read. */
bool pages_find(struct pages *pages, pid_t only);
void pages_free(struct pages *pages);

#endif
