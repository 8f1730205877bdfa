/* pacing.c - see pacing.h. Pure. */
#include "core/pacing.h"

void pacing_ask_now(struct pacing *pacing)
{
	pacing->stride = 0;
}

bool pacing_is_time(struct pacing *pacing, uint64_t now)
{
	enum { LONGEST_STRIDE = 15 };

	if (now >= pacing->asks_from) {
		pacing_ask_now(pacing);
		return true;
	}
	if (pacing->stride < LONGEST_STRIDE)
		pacing->stride = 2 * pacing->stride + 1;
	pacing->rests = pacing->stride;
	return false;
}

void pacing_not_now(struct pacing *pacing, uint64_t now, uint64_t took)
{
	enum { SHARE = 100 };

	pacing->asks_from = now + took * SHARE;
}

unsigned pacing_rest(const struct pacing *pacing, uint64_t now)
{
	const uint64_t a_millisecond = 1000000, longest = 60000;
	uint64_t rest = pacing->asks_from > now ? (pacing->asks_from - now) / a_millisecond : 0;

	return (unsigned)((rest < longest ? rest : longest) + 1);
}
