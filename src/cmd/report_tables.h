/* report_tables.h - the tables of a report, which tell all that its charts do. May not know: what
 * else is on the page. */
#ifndef SLSHIM_REPORT_TABLES_H
#define SLSHIM_REPORT_TABLES_H

#include <stdio.h>

#include "cmd/history.h"

enum {
	TABLE_STEPS = 20, /* of time */
	TABLE_ROWS = 500  /* of a list, at most */
};

void report_table_of_reasons(FILE *page, const struct pool_history *pool);
void report_table_of_time(FILE *page, const struct pool_history *pool);
void report_table_of_leavings(FILE *page, const struct pool_history *pool);
void report_table_of_workers(FILE *page, const struct pool_history *pool);
void report_table_of_remarks(FILE *page, const struct pool_history *pool);

#endif
