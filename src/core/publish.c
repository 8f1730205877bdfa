/* publish.c - see publish.h. */
#include "core/publish.h"

#include <stddef.h>

#include "core/server.h"
#include "os/hot.h"
#include "pool/statistics.h"

static uint64_t known(const struct sample *sample, enum quantity quantity)
{
	return sample_knows(sample, quantity) ? sample->value[quantity] : 0;
}

RARE void publish_now(uint64_t now)
{
	const struct meter *meter = &worker.limits.meter;
	struct sample sample;

	worker.course.published_at = now;
	if (server.page == NULL || !member_has_joined(&worker.member))
		return;
	pool_count_walks(server.page, meter->walks - worker.course.walks_told,
	                 meter->walked_for - worker.course.walking_told);
	worker.course.walks_told = meter->walks;
	worker.course.walking_told = meter->walked_for;
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
