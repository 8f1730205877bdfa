/* report_page.h - the page of a report: one file that needs no other, with tables for who has no
 * scripts. May not know: how a history is read. */
#ifndef SLSHIM_REPORT_PAGE_H
#define SLSHIM_REPORT_PAGE_H

#include <stdint.h>
#include <stdio.h>

#include "cmd/history.h"

/* What the report is of. */
struct report_source {
	const char *kind; /* "the log", "the recording", "a look at living pools" */
	const char *name; /* of its file; "": none */
	char **notes;     /* what could not be read */
	unsigned note_count;
};

void report_page_write(FILE *page, const struct history *history,
                       const struct report_source *source);

#endif
