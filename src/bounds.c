/* bounds.c - sums up. See bounds.h for what holds. */
#include "bounds.h"

static uint64_t rise(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

/* What is added may be more than there can be: then what is resident tells. */
static uint64_t add(uint64_t one, uint64_t other)
{
	uint64_t sum;

	return __builtin_add_overflow(one, other, &sum) ? UINT64_MAX : sum;
}

void bounds_start(struct bounds *bounds, const struct look *look, uint64_t unshared)
{
	bounds->last = *look;
	bounds->unshared = add(unshared, bounds->slack);
}

void bounds_advance(struct bounds *bounds, const struct look *look)
{
	uint64_t faults = rise(bounds->last.faults, look->faults);
	uint64_t most = add(look->resident, bounds->slack);

	bounds->unshared = add(bounds->unshared, faults * bounds->page);
	bounds->unshared = add(bounds->unshared, rise(bounds->last.resident, look->resident));
	if (bounds->unshared > most)
		bounds->unshared = most;
	bounds->last = *look;
}

uint64_t bounds_shared(const struct bounds *bounds)
{
	return rise(add(bounds->unshared, bounds->slack), bounds->last.resident);
}
