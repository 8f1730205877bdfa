/* header.h - the first words of the page, for whoever reads it from outside. */
#ifndef SLSHIM_HEADER_H
#define SLSHIM_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "pool/pool.h"

struct pool_introduction {
	const char *program, *method, *whose, *settings, *listeners;
	const uint64_t *limit; /* `limits` of them, by quantity */
	unsigned limits;
	uint64_t master_start_time, now, replaced_within;
	unsigned flags; /* enum pool_flag */
	const char *(*reason)(unsigned remark);
	pid_t master;
};

/* Called by whoever made the page, before it has workers. */
void pool_introduce(struct pool_page *page, const struct pool_introduction *introduction);

/* Is this memory a page that this version can read? It may be anything. */
bool pool_is_readable(const void *memory, size_t size);

#endif
