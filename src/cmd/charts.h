/* charts.h - the figures of a pool's charts, as report.js draws them. Sizes are KB, times seconds
 * since the epoch, and what is not known is null. May not know: what a page is. */
#ifndef SLSHIM_CHARTS_H
#define SLSHIM_CHARTS_H

#include "cmd/history.h"

enum {
	CHARTS_LINES = 24,   /* workers at a time that have a line each; of more the spread is shown */
	CHARTS_LARGEST = 3,  /* ... and so many lines */
	CHARTS_MARKS = 2000, /* leavings, of which a few are left out if there are more */
	CHARTS_BARS = 60
};

/* What the chart of memory shows. */
enum chart_kind {
	CHART_NOTHING,
	CHART_LINES,  /* of each worker */
	CHART_SPREAD, /* of all of them, and the largest */
	CHART_LIVES   /* of those that left, which is all that a log tells */
};
enum chart_kind charts_kind(const struct pool_history *pool);

/* Of which every so many leavings are drawn; 1: all. */
unsigned charts_mark_stride(const struct pool_history *pool);

/* {"kind": "lines", "begin": 1.5, "end": 9.5, "quantity": "unshared", "limit": [[1.5, 51200]],
 *  "x": [...], "lines": [{"y": [...], "pids": [[0, 4711], [7, 4720]]}],
 *  "spread": [[...] of SPREAD], "marks": [[time, KB, reason, pid, age, connections, would leave]],
 *  "reasons": ["SL_MAX_UNSHARED"], "bars": {"step": 60, "x": [...], "series": [{"name": , "y": }]},
 *  "total": {"x": [...], "series": [{"name": , "y": }], "limit": [[1.5, 409600]], "memory": KB}}
 * The caller has the reference; NULL if there is no memory. */
struct json_t;
struct json_t *charts_json(const struct pool_history *pool);

#endif
