/* bounds.c - computes the bounds. See bounds.h for why they hold. */
#include "limits/bounds.h"

#include "os/number.h"

static uint64_t rise(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

void bounds_start(struct bounds *bounds, const struct usage *usage, uint64_t unshared,
                  uint64_t proportional)
{
	bounds->last = *usage;
	bounds->unshared = number_add(unshared, bounds->slack);
	bounds->proportional = number_add(proportional, bounds->slack);
}

static uint64_t grow(uint64_t bytes, uint64_t most_added, uint64_t most)
{
	uint64_t sum = number_add(bytes, most_added);

	return sum < most ? sum : most;
}

void bounds_advance(struct bounds *bounds, const struct usage *usage)
{
	uint64_t faults = rise(bounds->last.faults, usage->faults);
	uint64_t most = number_add(usage->resident, bounds->slack);
	uint64_t added =
	    number_add(faults * bounds->page, rise(bounds->last.resident, usage->resident));

	bounds->unshared = grow(bounds->unshared, added, most);
	bounds->proportional = grow(bounds->proportional, added, most);
	bounds->last = *usage;
}

uint64_t bounds_shared(const struct bounds *bounds)
{
	return rise(number_add(bounds->unshared, bounds->slack), bounds->last.resident);
}
