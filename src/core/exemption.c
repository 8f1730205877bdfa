/* exemption.c - see exemption.h. */
#include "core/exemption.h"

#include <stddef.h>
#include <stdint.h>

#include "core/report.h"
#include "core/server.h"
#include "core/worker.h"
#include "leave/program.h"
#include "os/process.h"

/* What a fresh worker has already, as opposed to what grows with the connections that it serves;
 * and what a trim makes less, as opposed to what it leaves as it is. */
enum {
	INBORN = 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT | 1u << QUANTITY_UNSHARED |
	         1u << QUANTITY_SHARED | 1u << QUANTITY_PROPORTIONAL | 1u << QUANTITY_SWAPPED |
	         1u << QUANTITY_DESCRIPTORS | 1u << QUANTITY_POOL,
	ACQUIRED = 1u << QUANTITY_GROWTH | 1u << QUANTITY_CONNECTIONS | 1u << QUANTITY_REQUESTS |
	           1u << QUANTITY_AGE | 1u << QUANTITY_CPU,
	TRIMMED = 1u << QUANTITY_RESIDENT | 1u << QUANTITY_UNSHARED | 1u << QUANTITY_PROPORTIONAL |
	          1u << QUANTITY_SWAPPED | 1u << QUANTITY_GROWTH | 1u << QUANTITY_POOL,
	UNTRIMMED = 1u << QUANTITY_SIZE | 1u << QUANTITY_SHARED | 1u << QUANTITY_CONNECTIONS |
	            1u << QUANTITY_REQUESTS | 1u << QUANTITY_AGE | 1u << QUANTITY_CPU |
	            1u << QUANTITY_DESCRIPTORS
};

_Static_assert((INBORN ^ ACQUIRED) == (1u << QUANTITIES) - 1, "each quantity is one of the two");
_Static_assert((TRIMMED ^ UNTRIMMED) == (1u << QUANTITIES) - 1, "each quantity is one of the two");

static void exempt(enum remark remark, unsigned crossed)
{
	struct leaving leaving = {
	    .limit = worker.limits.limit, .sample = worker.limits.sample, .crossed = crossed};

	if (server.page != NULL)
		server.page->counts.spared++;
	if (server.page != NULL && pool_report_once(server.page, remark))
		report_exempted(remark, &leaving);
	limit_state_disable(&worker.limits, crossed);
}

void exemption_at_birth(void)
{
	unsigned crossed = limit_state_at_birth(&worker.limits) & INBORN;

	if (crossed != 0)
		exempt(REMARK_NEWBORN, crossed);
}

/* Not every C library has it. It is looked up when it is used, because every program would pay for
 * an import. */
static bool trim(void)
{
	int (*malloc_trim)(size_t);

	if (!program_look_up("malloc_trim", &malloc_trim))
		return false;
	malloc_trim(0);
	return true;
}

bool exemption_by_trim(bool may_allocate)
{
	enum { SUFFICES_FOR = 10000 };
	struct leaving leaving = {.limit = worker.limits.limit};
	uint64_t now, before;

	if (!server.config.trim || (worker.limits.crossed & ~(unsigned)TRIMMED) != 0)
		return false;
	now = process_clock();
	if (worker.course.trimmed_at != 0 && now - worker.course.trimmed_at < SUFFICES_FOR)
		return false;
	if (!may_allocate)
		return true;
	worker.course.trimmed_at = now;
	if (!limit_state_tell(&worker.limits, QUANTITY_RESIDENT, &before))
		before = 0;
	if (!trim())
		return false;
	limit_state_measure_again(&worker.limits);
	leaving.crossed = worker.limits.crossed;
	leaving.sample = limit_state_describe(&worker.limits);
	report_trimmed(before, &leaving);
	return worker.limits.crossed == 0;
}

/* A worker's first connections. */
static bool is_early(void)
{
	enum { FIRST = 5 };

	return (worker.limits.crossed & INBORN) != 0 && worker.limits.served <= FIRST;
}

bool exemption_of_early(void)
{
	if (!is_early() || !pool_lives_are_short(server.page))
		return false;
	exempt(REMARK_EARLY, worker.limits.crossed & INBORN);
	return worker.limits.crossed == 0;
}

void exemption_note_leaving(void)
{
	pool_note_life(server.page, is_early());
}
