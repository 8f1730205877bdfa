/* top_layout.h - a screen of slshim top: a look at the pools, what the operator chose to see of it,
 * and a size in, lines out. May not know: where looks and keys come from, or how a line is drawn.
 */
#ifndef SLSHIM_TOP_LAYOUT_H
#define SLSHIM_TOP_LAYOUT_H

#include "cmd/top_text.h"
#include "cmd/top_workers.h"
#include "cmd/view.h"

struct top_look {
	struct views *now;          /* its workers are sorted by this */
	const struct views *before; /* NULL: it is the first */
	const char *clock;          /* when it was, as text */
};

struct top_choice {
	unsigned pool; /* which one */
	enum top_worker_column sorted;
	bool is_reversed;
	unsigned first; /* worker of the table, and how many there was room for */
	unsigned page;
};

/* That of a new start. */
extern const struct top_choice top_choice_at_first;

enum top_key {
	TOP_LINE_UP,
	TOP_LINE_DOWN,
	TOP_PAGE_UP,
	TOP_PAGE_DOWN,
	TOP_FIRST,
	TOP_LAST,
	TOP_NEXT_POOL,
	TOP_PREVIOUS_POOL
};
void top_press(struct top_choice *choice, const struct views *views, enum top_key key);

/* Sorts by the column that has this letter; by the one that it is sorted by the other way around.
 */
void top_press_letter(struct top_choice *choice, wchar_t letter);

/* Stays with the same pool in a new look, if it is there. */
void top_follow(struct top_choice *choice, const struct views *before, const struct views *now);

/* Adds a screen of this many lines. What of the choice there is nothing for is changed. */
void top_lay_out(struct top_text *screen, const struct top_look *look, struct top_choice *choice,
                 unsigned rows);

/* Adds all workers of all pools. */
void top_lay_out_all(struct top_text *text, const struct top_look *look);

#endif
