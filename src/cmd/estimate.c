/* estimate.c - see estimate.h. */
#include "cmd/estimate.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ quantiles */

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

double estimate_quantile(double *values, size_t count, double share)
{
	double at;
	size_t below;

	if (count == 0)
		return NAN;
	qsort(values, count, sizeof *values, compare);
	at = share * (double)(count - 1);
	below = (size_t)at;
	if (below + 1 >= count)
		return values[count - 1];
	return values[below] + (at - (double)below) * (values[below + 1] - values[below]);
}

/* ---------------------------------------------------------------------- slope */

/* Of a group that is too large only a part, evenly. */
static struct point middle(const struct point *points, size_t count)
{
	enum { MOST = 63 };
	double x[MOST], y[MOST];
	size_t step = (count + MOST - 1) / MOST, used = 0;

	for (size_t i = 0; i < count; i += step, used++) {
		x[used] = points[i].x;
		y[used] = points[i].y;
	}
	return (struct point){estimate_quantile(x, used, 0.5), estimate_quantile(y, used, 0.5)};
}

size_t estimate_thin(struct point *points, size_t count, size_t most)
{
	if (count <= most)
		return count;
	for (size_t i = 0; i < most; i++) {
		size_t begin = i * count / most, end = (i + 1) * count / most;

		points[i] = middle(points + begin, end - begin);
	}
	return most;
}

double estimate_slope(const struct point *points, size_t count)
{
	double slopes[ESTIMATE_POINTS * (ESTIMATE_POINTS - 1) / 2];
	size_t used = 0;

	for (size_t i = 0; count <= ESTIMATE_POINTS && i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (points[j].x > points[i].x || points[j].x < points[i].x)
				slopes[used++] = (points[j].y - points[i].y) / (points[j].x - points[i].x);
	return estimate_quantile(slopes, used, 0.5);
}

/* ------------------------------------------------------------------ bootstrap */

/* SplitMix64 (public domain), scaled to 0 .. count - 1; for these counts the bias is below 1e-15.
 */
static size_t draw(uint64_t *state, size_t count)
{
	uint64_t bits = *state += UINT64_C(0x9e3779b97f4a7c15);

	bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
	bits ^= bits >> 31;
	return (size_t)((bits >> 32) * (uint64_t)count >> 32);
}

/* What Student's distribution with so many degrees of freedom exceeds in 1 of 40 cases. */
static double student(size_t degrees)
{
	static const double exact[] = {12.706, 4.303, 3.182, 2.776, 2.571,
	                               2.447,  2.365, 2.306, 2.262, 2.228};
	double n = (double)degrees;

	if (degrees <= sizeof exact / sizeof *exact)
		return exact[degrees - 1];
	return 1.96 + 2.37 / n + 2.8 / (n * n);
}

/* The standard error of the statistic, of resamples that have one. */
static double resample(estimate_statistic *statistic, const void *data, size_t *chosen,
                       size_t count)
{
	enum { RESAMPLES = 1000 };
	uint64_t state = 1;
	double mean = 0, squares = 0, used = 0;

	for (int i = 0; i < RESAMPLES; i++) {
		double value, off;

		for (size_t j = 0; j < count; j++)
			chosen[j] = draw(&state, count);
		value = statistic(data, chosen, count);
		if (!isfinite(value))
			continue;
		off = value - mean;
		mean += off / ++used;
		squares += off * (value - mean);
	}
	return used > 1 ? sqrt(squares / (used - 1)) : INFINITY;
}

struct interval estimate_interval(estimate_statistic *statistic, const void *data, size_t count)
{
	size_t *chosen = calloc(count + 1, sizeof *chosen);
	double value = NAN, error = INFINITY;

	for (size_t i = 0; chosen != NULL && i < count; i++)
		chosen[i] = i;
	if (chosen != NULL && count > 0)
		value = statistic(data, chosen, count);
	if (isfinite(value) && count > 1) /* a resample is narrower than the data by a part of them */
		error = resample(statistic, data, chosen, count) * student(count - 1) *
		        sqrt((double)count / (double)(count - 1));
	free(chosen);
	return isfinite(value) ? (struct interval){value - error, value, value + error}
	                       : (struct interval){NAN, NAN, NAN};
}
