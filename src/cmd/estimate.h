/* estimate.h - quantiles, slopes that outliers do not bend, and how far an estimate from a few
 * lives may be off. Pure; the same numbers give the same answer. May not know: what the numbers are
 * of. */
#ifndef SLSHIM_ESTIMATE_H
#define SLSHIM_ESTIMATE_H

#include <stddef.h>

struct point {
	double x, y;
};

/* The value, and between what it lies in 95 of 100 cases. */
struct interval {
	double low, value, high;
};

/* Sorts the values, which are finite, and returns the one that this share of them is below,
 * interpolated; NAN if there are none. */
double estimate_quantile(double *values, size_t count, double share);

/* Makes at most `most` points of these, in place: the medians of groups of neighbours. Returns how
 * many there are now. */
size_t estimate_thin(struct point *points, size_t count, size_t most);

/* Theil-Sen: the median of the slopes between any two points of different x. NAN if there are none,
 * or if there are more than ESTIMATE_POINTS. */
enum { ESTIMATE_POINTS = 40 };
double estimate_slope(const struct point *points, size_t count);

/* What a statistic is of those of the data that were chosen, some of them several times. It is NAN
 * if they tell nothing. */
typedef double estimate_statistic(const void *data, const size_t *chosen, size_t count);

/* The statistic of all `count` data, and by the bootstrap how far it would be from that of all the
 * data that there might have been. Its standard error counts as Student's, as that of a few lives
 * is itself uncertain. All three are NAN if there is no such statistic, or no memory; `low` and
 * `high` are infinite if there is one datum only. */
struct interval estimate_interval(estimate_statistic *statistic, const void *data, size_t count);

#endif
