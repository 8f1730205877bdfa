/* top_workers.h - the table of the workers of a pool. May not know: where it is shown, or which
 * part of it. */
#ifndef SLSHIM_TOP_WORKERS_H
#define SLSHIM_TOP_WORKERS_H

#include "cmd/top_text.h"
#include "cmd/view.h"

enum top_worker_column {
	WORKER_PID,
	WORKER_STATE,
	WORKER_AGE,
	WORKER_CONNECTIONS,
	WORKER_REQUESTS,
	WORKER_OPEN,
	WORKER_UNSHARED,
	WORKER_SHARE, /* of the limit that top_limit() finds */
	WORKER_PROPORTIONAL,
	WORKER_RESIDENT,
	WORKER_SWAPPED,
	WORKER_MEASURED,
	WORKER_HELD_BY,
	WORKER_COLUMNS
};

/* The column whose title has this letter as its capital; WORKER_COLUMNS: none has. */
enum top_worker_column top_column_of(wchar_t letter);

/* Its title in small letters. */
const char *top_column_name(enum top_worker_column column);

/* Sorts the workers, by pid where they are equal: the largest first, texts and pids the smallest
 * first, or the other way around. What is not known comes last. */
void top_sort(struct pool_view *pool, enum top_worker_column column, bool is_reversed);

/* Adds the line of titles, whose capital letters are keys unless `sorted` is WORKER_COLUMNS, and
 * those of some workers. */
void top_tell_titles(struct top_text *text, const struct pool_view *pool,
                     enum top_worker_column sorted);
void top_tell_workers(struct top_text *text, const struct pool_view *pool, unsigned first,
                      unsigned count);

/* The limit against which bars are drawn: that on unshared memory, or else the first that is set
 * and that is known of single workers; QUANTITIES if there is none. */
enum quantity top_limit(const struct pool_view *pool);

/* The share of that limit; UINT_MAX: not known. */
unsigned top_share_of(const struct pool_view *pool, const struct worker_view *worker);

enum top_mark top_mark_of(enum view_state state);

#endif
