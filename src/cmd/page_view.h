/* page_view.h - reads a page, which may hold anything, as what an operator sees of a pool. Asks the
 * kernel only whether the processes in it live, and of which unit they are.
 *
 * May not know: how pages are found. */
#ifndef SLSHIM_PAGE_VIEW_H
#define SLSHIM_PAGE_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "cmd/pages.h"
#include "cmd/view.h"

/* `now`: boot clock, milliseconds. The workers are to be freed. */
struct pool_view page_view(const struct page *page, uint64_t now);

/* Sorts the workers by pid. */
void page_view_sort(struct pool_view *pool);

/* Copies text from elsewhere without its control characters, cut where there is no more room. `to`
 * and `text` may be the same. */
void page_view_text(char *to, size_t size, const char *text);

#endif
