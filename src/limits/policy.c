/* policy.c - compares a sample with limits. */
#include "limits/policy.h"
#include "os/hot.h"
#include "os/number.h"

HOT unsigned policy_crossed(const uint64_t limit[QUANTITIES], const struct sample *sample)
{
	unsigned crossed = 0;

	for (unsigned left = sample->known; left != 0; left &= left - 1) {
		int q = __builtin_ctz(left);
		uint64_t value = sample->value[q];

		if (limit[q] == 0)
			continue;
		if (quantity_kinds[q].is_floor ? value < limit[q] : value > limit[q])
			crossed |= 1u << q;
	}
	return crossed;
}

unsigned policy_limited(const uint64_t limit[QUANTITIES])
{
	unsigned limited = 0;

	for (int q = 0; q < QUANTITIES; q++)
		limited |= (unsigned)(limit[q] > 0) << q;
	return limited;
}

uint64_t policy_excess(const uint64_t limit[QUANTITIES], const struct sample *sample,
                       unsigned crossed)
{
	uint64_t most = 1;

	for (unsigned left = crossed & sample->known; left != 0; left &= left - 1) {
		int q = __builtin_ctz(left);
		uint64_t value = sample->value[q], share;
		uint64_t over = value > limit[q] ? value - limit[q] : limit[q] - value;

		if (limit[q] == 0)
			continue;
		share = __builtin_mul_overflow(over, 1000, &share) ? over / (limit[q] / 1000 + 1)
		                                                   : share / limit[q];
		if (share > most)
			most = share;
	}
	return most;
}

uint64_t policy_stricter(enum quantity quantity, uint64_t limit, unsigned percent, uint32_t random)
{
	uint64_t share = (uint64_t)random * percent / 100; /* of 2^32 */
	uint64_t part = (limit >> 32) * share + ((limit & UINT32_MAX) * share >> 32);

	if (!quantity_kinds[quantity].is_floor)
		return part < limit ? limit - part : limit;
	return number_add(limit, part);
}
