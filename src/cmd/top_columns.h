/* top_columns.h - the columns of a table that has to fit into a width: which of them, and how wide.
 * May not know: what is in them. */
#ifndef SLSHIM_TOP_COLUMNS_H
#define SLSHIM_TOP_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/top_text.h"

struct top_column {
	const char *title; /* its capital letter is its key, if it has one */
	unsigned width, most;
	unsigned rank; /* those of a high rank are left out first */
	bool is_left;  /* aligned */
};

/* Sets the width of each column, 0 of those that are left out; there is a space between two. Bit n
 * of `absent`: column n is left out in any case. */
void top_columns_fit(const struct top_column *columns, unsigned count, unsigned absent,
                     unsigned width, unsigned widths[]);

/* Adds the titles; bit n of `sorted` marks column n. */
void top_columns_head(struct top_line *line, const struct top_column *columns, unsigned count,
                      const unsigned widths[], unsigned sorted);

/* Adds a field, and the space before it if it is not the first of the line. */
void top_columns_put(struct top_line *line, const struct top_column *column, unsigned width,
                     enum top_mark mark, const char *text);

/* Adds "██████░░░░   62%", so wide, without a space before it; 100 is full, UINT_MAX unknown. */
void top_put_bar(struct top_line *line, unsigned width, unsigned percent);

/* The share of a limit in percent, which is above 100 only and always if the value is above the
 * limit; UINT_MAX if the value is not known. At most 9999. */
unsigned top_share(uint64_t value, uint64_t limit);

#endif
