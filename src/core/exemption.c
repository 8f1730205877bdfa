/* exemption.c - lets workers stay. See exemption.h for what it may not know. */
#include "core/exemption.h"

#include <stddef.h>
#include <stdint.h>

#include "core/report.h"
#include "core/server.h"
#include "core/worker.h"
#include "leave/program.h"
#include "limits/limit_state.h"
#include "os/process.h"

/* What a fresh worker has, too, as against what comes with what it serves. */
enum {
	INBORN = 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT | 1u << QUANTITY_UNSHARED |
	         1u << QUANTITY_SHARED | 1u << QUANTITY_PROPORTIONAL | 1u << QUANTITY_SWAPPED |
	         1u << QUANTITY_DESCRIPTORS,
	TRIMMED = 1u << QUANTITY_RESIDENT | 1u << QUANTITY_UNSHARED | 1u << QUANTITY_PROPORTIONAL |
	          1u << QUANTITY_SWAPPED | 1u << QUANTITY_GROWTH
};

static struct {
	uint64_t trimmed_at; /* boot clock, milliseconds; 0: never */
} self;

void spare_begin(void)
{
	self.trimmed_at = 0;
}

static void spare(enum remark remark, unsigned crossed)
{
	struct leaving leaving = {.limit = verdict.limit, .sample = verdict.sample, .crossed = crossed};

	if (server.page != NULL && pool_say_once(server.page, remark))
		report_spared(remark, &leaving);
	verdict_forgive(crossed);
}

void spare_newborn(void)
{
	unsigned crossed = verdict_at_birth() & INBORN;

	if (crossed != 0)
		spare(REMARK_NEWBORN, crossed);
}

/* Not in every C library; and looked up when it is used, for every program pays for what is not. */
static bool trim(void)
{
	int (*malloc_trim)(size_t);

	if (!program_look_up("malloc_trim", &malloc_trim))
		return false;
	malloc_trim(0);
	return true;
}

bool spare_by_trim(bool may_allocate)
{
	enum { SUFFICES_FOR = 10000 };
	struct leaving leaving = {.limit = verdict.limit};
	uint64_t now, before;

	if (!server.config.trim || (verdict.crossed & ~(unsigned)TRIMMED) != 0)
		return false;
	now = process_clock();
	if (self.trimmed_at != 0 && now - self.trimmed_at < SUFFICES_FOR)
		return false;
	if (!may_allocate)
		return true;
	self.trimmed_at = now;
	if (!verdict_tell(QUANTITY_RESIDENT, &before))
		before = 0;
	if (!trim())
		return false;
	verdict_again();
	leaving.crossed = verdict.crossed;
	leaving.sample = verdict_describe();
	report_trimmed(before, &leaving);
	return verdict.crossed == 0;
}

/* A worker's first connections. */
static bool is_early(void)
{
	enum { FIRST = 5 };

	return (verdict.crossed & INBORN) != 0 && verdict.served <= FIRST;
}

bool spare_early(void)
{
	if (!is_early() || !pool_is_churning(server.page))
		return false;
	spare(REMARK_EARLY, verdict.crossed & INBORN);
	return verdict.crossed == 0;
}

void spare_note_leaving(void)
{
	pool_note_life(server.page, is_early());
}
