/* statistics.c - counts lives, and notes remarks. */
#include "pool/statistics.h"

enum { MANY_SHORT_LIVES = 8 };

void pool_note_life(struct pool_page *page, bool is_short)
{
	if (!is_short)
		page->short_lives = 0;
	else if (page->short_lives < MANY_SHORT_LIVES)
		page->short_lives++;
}

bool pool_lives_are_short(struct pool_page *page)
{
	return page->short_lives >= MANY_SHORT_LIVES;
}

static void count_reasons(_Atomic uint64_t reasons[POOL_REASONS], const struct pool_life *life)
{
	for (unsigned left = life->crossed; left != 0; left &= left - 1)
		reasons[(unsigned)__builtin_ctz(left) % POOL_REASONS]++;
	if (life->is_asked)
		reasons[POOL_REASONS - 1]++;
}

void pool_count_leaving(struct pool_page *page, const struct pool_life *life)
{
	struct pool_counts *counts = &page->counts;

	count_reasons(counts->leavings, life);
	counts->left++;
	counts->waited += life->waited;
	counts->lived += life->lived;
	counts->served += life->served;
	counts->left_at = life->now;
}

void pool_count_work(struct pool_page *page, const struct pool_work *done,
                     const struct pool_work *told)
{
	struct pool_counts *counts = &page->counts;

	counts->connections += done->connections - told->connections;
	counts->requests += done->requests - told->requests;
	counts->walks += done->walks - told->walks;
	counts->walk_nanoseconds += done->walk_nanoseconds - told->walk_nanoseconds;
}

void pool_count_rehearsal(struct pool_page *page, const struct pool_life *life)
{
	count_reasons(page->counts.would_leave, life);
	page->counts.would_have_left++;
	page->dry_run.lives++;
	page->dry_run.connections += life->served;
	page->dry_run.milliseconds += life->lived;
}

/* A life that is noted meanwhile may be split between this summary and the next. */
bool pool_take_summary(struct pool_page *page, uint64_t now, struct pool_summary *summary)
{
	enum { PERIOD = 60000 };
	struct pool_dry_run *dry_run = &page->dry_run;
	uint64_t since = dry_run->since;

	if (since != 0 && (now < since || now - since < PERIOD))
		return false;
	if (!atomic_compare_exchange_strong(&dry_run->since, &since, now) || since == 0)
		return false;
	summary->span = now - since;
	summary->lives = atomic_exchange(&dry_run->lives, 0);
	summary->connections = atomic_exchange(&dry_run->connections, 0);
	summary->milliseconds = atomic_exchange(&dry_run->milliseconds, 0);
	return true;
}

bool pool_has_reported(struct pool_page *page, unsigned remark)
{
	return page->reported >> remark % 64 & 1;
}

bool pool_report_once(struct pool_page *page, unsigned remark)
{
	uint64_t bit = UINT64_C(1) << remark % 64;

	return (atomic_fetch_or(&page->reported, bit) & bit) == 0;
}
