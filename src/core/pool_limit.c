/* pool_limit.c - see pool_limit.h. */
#include "core/pool_limit.h"

#include <stddef.h>

#include "core/server.h"
#include "core/worker.h"
#include "os/clock.h"

static bool is_on(void)
{
	return worker.limits.limit[QUANTITY_POOL] != 0 && server.page != NULL &&
	       member_has_joined(&worker.member);
}

/* It takes at most a hundredth of that to look at one: so a worker of a thousand looks every 10 ms,
 * and one of a few at nearly every check. */
enum { NANOSECONDS_A_SLOT = 10000 };

static void look(bool closely, uint64_t now)
{
	struct pool_memory_sum sum = member_sum_memory(&worker.member, server.page, closely);

	worker.life.company = (struct company){
	    .is_known = true,
	    .count = sum.count,
	    .proportional = sum.of_all.proportional,
	    .unshared = sum.of_all.unshared,
	    .unmeasured = sum.unmeasured,
	};
	worker.course.looks_at_pool = now + sum.slots * NANOSECONDS_A_SLOT;
}

bool pool_limit_measure(void)
{
	const struct meter *meter = &worker.limits.meter;
	uint64_t now;
	bool is_new;

	if (!is_on())
		return limit_state_measure(&worker.limits);
	now = clock_boot();
	if (!worker.life.company.is_known || now >= worker.course.looks_at_pool)
		look(false, now);
	is_new = limit_state_measure(&worker.limits);
	member_tell_memory(&worker.member, server.page,
	                   &(struct pool_memory){meter->proportional, meter->unshared});
	return is_new;
}

void pool_limit_look_closely(void)
{
	if (is_on() && (worker.limits.crossed >> QUANTITY_POOL & 1) != 0)
		look(true, clock_boot());
}

bool pool_limit_is_the_only(void)
{
	return worker.limits.crossed == 1u << QUANTITY_POOL;
}
