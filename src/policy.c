/* policy.c - judges a sample. */
#include "policy.h"
#include "hot.h"

HOT unsigned policy_crossed(const uint64_t limit[QUANTITIES], const struct sample *sample)
{
	unsigned crossed = 0;

	for (int q = 0; q < QUANTITIES; q++) {
		uint64_t value = sample->value[q];

		if (limit[q] == 0 || !sample_knows(sample, (enum quantity)q))
			continue;
		if (quantity_kinds[q].is_floor ? value < limit[q] : value > limit[q])
			crossed |= 1u << q;
	}
	return crossed;
}
