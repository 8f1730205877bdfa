/* pages.h - the pools of this host: finds the pages of their masters, through /proc. Each page is
 * hostile input. May not know: what is shown of it. */
#ifndef SLSHIM_PAGES_H
#define SLSHIM_PAGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "pool/pool.h"

struct page {
	struct pool_page *pool;       /* a copy */
	pid_t master;                 /* the process in which it was found */
	unsigned long inode;
};

struct pages {
	struct page *of;
	unsigned count;
	unsigned unreadable; /* processes that have a page which this one may not read */
};

/* Finds those of all processes, or of `only` and its parent if that is not 0. False if /proc cannot
 * be read. */
bool pages_find(struct pages *pages, pid_t only);
void pages_free(struct pages *pages);

#endif
