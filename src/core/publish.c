/* publish.c - see publish.h. */
#include "core/publish.h"

#include <stddef.h>

#include "core/server.h"
#include "os/hot.h"

static uint64_t known(const struct sample *sample, enum quantity quantity)
{
	return sample_knows(sample, quantity) ? sample->value[quantity] : 0;
}

static void count_work(void)
{
	const struct meter *meter = &worker.limits.meter;
	const struct pool_work done = {
	    .connections = worker.life.served,
	    .requests = worker.life.requests,
	    .walks = meter->walks,
	    .walk_nanoseconds = meter->walked_for,
	};

	pool_count_work(server.page, &done, &worker.course.told);
	worker.course.told = done;
}

RARE void publish_now(uint64_t now)
{
	const struct meter *meter = &worker.limits.meter;
	struct sample sample;

	worker.course.published_at = now;
	if (server.page == NULL || !member_has_joined(&worker.member))
		return;
	count_work();
	sample = limit_state_glance(&worker.limits);
	member_tell(&worker.member, server.page,
	            &(struct pool_figures){
	                .memory = {meter->proportional, meter->unshared},
	                .resident = known(&sample, QUANTITY_RESIDENT),
	                .swapped = known(&sample, QUANTITY_SWAPPED),
	                .served = worker.life.served,
	                .requests = worker.life.requests,
	                .told = now,
	                .phase = worker.course.phase,
	                .remark = worker.course.held_by,
	                .open = worker.open,
	            });
}
