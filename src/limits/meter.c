/* meter.c - chooses among the probes, and when to use them. See meter.h for what it may not know.
 */
#include "limits/meter.h"

#include <sys/resource.h>
#include <unistd.h>

#include "limits/bounds.h"
#include "os/clock.h"
#include "os/hot.h"
#include "os/persistent_file.h"
#include "os/process.h"
#include "probe.h"

/* Sums over the mappings walk the page tables: only for who asks what they alone can tell. */
enum {
	WALKED = 1u << QUANTITY_SHARED | 1u << QUANTITY_UNSHARED | 1u << QUANTITY_PROPORTIONAL |
	         1u << QUANTITY_GROWTH,
	COUNTED = 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT
};

static struct {
	struct persistent_file statm, rollup, smaps, status, descriptors;
	bool has_first;  /* of unshared memory */
	uint64_t first;  /* bytes */
	bool is_bounded; /* the bounds hold */
	struct bounds bounds;
	uint64_t
	    walked_at;  /* when the last walk ended, or the process began; boot clock, nanoseconds */
	int64_t credit; /* nanoseconds of processor time that walks may take now; below 0 they took
	                   too long */
	uint64_t credited_at;
} self = {
    .statm = {.path = "/proc/self/statm", .fd = -1},
    .rollup = {.path = "/proc/self/smaps_rollup", .fd = -1},
    .smaps = {.path = "/proc/self/smaps", .fd = -1},
    .status = {.path = "/proc/self/status", .fd = -1},
    .descriptors = {.path = "/proc/self/fd", .fd = -1, .is_directory = true},
};

/* ------------------------------------------------------------------ probes */

static bool read_by(probe_function *probe, struct persistent_file *source, struct sample *sample)
{
	int fd = persistent_file_borrow(source);
	bool is_read = probe(fd, sample);

	persistent_file_return(source, fd);
	return is_read;
}

static bool walk_by(enum probe_choice choice, struct sample *sample)
{
	if (choice != PROBE_SMAPS && read_by(probe_smaps, &self.rollup, sample))
		return true;
	return choice != PROBE_ROLLUP && read_by(probe_smaps, &self.smaps, sample);
}

static bool walk(enum probe_choice choice, struct sample *sample)
{
	uint64_t unshared;

	if (!walk_by(choice, sample))
		return false;
	unshared = sample->value[QUANTITY_UNSHARED];
	if (!self.has_first)
		self.first = unshared;
	self.has_first = true;
	sample_set(sample, QUANTITY_GROWTH, unshared > self.first ? unshared - self.first : 0);
	return true;
}

static bool may_walk(enum probe_choice choice)
{
	return choice != PROBE_STATM && choice != PROBE_RUSAGE;
}

void meter_read(enum probe_choice choice, unsigned wanted, struct sample *sample)
{
	if (choice == PROBE_RUSAGE && (wanted & 1u << QUANTITY_RESIDENT))
		probe_rusage(-1, sample);
	if (choice != PROBE_RUSAGE && (wanted & COUNTED))
		read_by(probe_statm, &self.statm, sample);
	if (choice != PROBE_RUSAGE && (wanted & 1u << QUANTITY_SWAPPED))
		read_by(probe_status, &self.status, sample);
	if (wanted & 1u << QUANTITY_CPU)
		probe_cpu(-1, sample);
	if (wanted & 1u << QUANTITY_DESCRIPTORS)
		read_by(probe_descriptors, &self.descriptors, sample);
	if ((wanted & WALKED) && may_walk(choice))
		walk(choice, sample);
}

/* ------------------------------------------------------------------ bounds */

/* Before what is resident is read: a fault of another thread in between then counts as the next. */
static bool look_at_usage(struct look *look, uint64_t *peak)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return false;
	look->faults = (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
	*peak = probe_usage_peak(&usage);
	return true;
}

static bool read_resident(struct sample *sample, struct look *look)
{
	if (!read_by(probe_statm, &self.statm, sample))
		return false;
	look->resident = sample->value[QUANTITY_RESIDENT];
	return true;
}

static void start_bounds(const struct look *look, uint64_t unshared, uint64_t proportional)
{
	self.bounds.page = (uint64_t)sysconf(_SC_PAGESIZE);
	self.bounds.slack = probe_resident_slack();
	self.is_bounded = !probe_reserved_pages();
	bounds_start(&self.bounds, look, unshared, proportional);
}

/* A child has none of its own until its first fault; those since the fork count. */
void meter_begin(const struct config *config, bool serves)
{
	/* A young worker may grow fast, and has not saved anything for walks yet. */
	const int64_t at_birth = INT64_C(50000000);
	struct sample sample = {.known = 0};
	struct look look;

	meter_end(); /* those of the process that forked this one tell of that one */
	self.is_bounded = self.has_first = false;
	self.credit = at_birth;
	self.walked_at = clock_boot();
	self.credited_at = self.walked_at;
	if (!serves)
		return;
	persistent_file_open(&self.statm);
	if (config->limit[QUANTITY_SWAPPED] > 0)
		persistent_file_open(&self.status);
	if (!may_walk(config->probe))
		return;
	if (config->probe != PROBE_SMAPS)
		persistent_file_open(&self.rollup);
	if (self.rollup.fd < 0 && config->probe != PROBE_ROLLUP)
		persistent_file_open(&self.smaps);
	look.faults = 0;
	if (read_resident(&sample, &look))
		start_bounds(&look, 0, look.resident);
}

void meter_end(void)
{
	persistent_file_close(&self.statm);
	persistent_file_close(&self.rollup);
	persistent_file_close(&self.smaps);
	persistent_file_close(&self.status);
}

/* ------------------------------------------------------------------ checks */

static bool has_grown_at_most(const struct bounds *bounds, uint64_t growth)
{
	return self.has_first &&
	       (bounds->unshared <= self.first || bounds->unshared - self.first <= growth);
}

/* Not crossed, whatever a walk would find. */
static bool is_within(const struct bounds *bounds, const uint64_t limit[QUANTITIES])
{
	uint64_t most = limit[QUANTITY_UNSHARED], least = limit[QUANTITY_SHARED];
	uint64_t proportional = limit[QUANTITY_PROPORTIONAL], growth = limit[QUANTITY_GROWTH];

	return self.is_bounded && (most == 0 || bounds->unshared <= most) &&
	       (least == 0 || bounds_shared(bounds) >= least) &&
	       (proportional == 0 || bounds->proportional <= proportional) &&
	       (growth == 0 || has_grown_at_most(bounds, growth));
}

/* Whether no limit is crossed, even if as much is resident as ever was: mostly so while a process
 * grows, and statm costs twice as much as the usage. What is mapped, or no longer shared, is not to
 * be told from a peak. */
static bool is_within_at_peak(const uint64_t limit[QUANTITIES], unsigned walked, struct look look,
                              uint64_t peak)
{
	struct bounds bounds;

	if (peak == 0 || limit[QUANTITY_SIZE] != 0 || limit[QUANTITY_SHARED] != 0)
		return false;
	if (limit[QUANTITY_RESIDENT] != 0 && peak > limit[QUANTITY_RESIDENT])
		return false;
	if (walked == 0)
		return true;
	if (look.faults == self.bounds.last.faults) /* then nothing came */
		return is_within(&self.bounds, limit);
	look.resident = peak;
	bounds = self.bounds;
	bounds_advance(&bounds, &look);
	return is_within(&bounds, limit);
}

/* What raises no fault here is found by a walk now and then: not after so many checks, since a fast
 * worker would come to those too soon for what a walk costs. */
static bool is_stale(uint64_t now)
{
	const uint64_t period = UINT64_C(10000000000);

	return now - self.walked_at > period;
}

/* A share of the time since birth is for walks, beside what they may take at birth; what is saved
 * for long is forgotten. */
static bool can_afford_walk(const struct config *config, uint64_t now)
{
	const int64_t saved = INT64_C(10000000000) / 100 * config->probe_budget;

	self.credit += (int64_t)((now - self.credited_at) / 100 * config->probe_budget);
	if (self.credit > saved)
		self.credit = saved;
	self.credited_at = now;
	return self.credit > 0;
}

/* While a child lives it shares all that is not unshared since: no base for what comes after it. */
static bool walk_in_budget(const struct config *config, const struct look *look,
                           struct sample *sample)
{
	uint64_t start = clock_thread();
	bool is_measured = walk(config->probe, sample);

	self.credit -= (int64_t)(clock_thread() - start);
	self.walked_at = clock_boot();
	if (is_measured && look != NULL && !process_has_children())
		start_bounds(look, sample->value[QUANTITY_UNSHARED], sample->value[QUANTITY_PROPORTIONAL]);
	return is_measured;
}

HOT unsigned meter_check(const struct config *config, const uint64_t limit[QUANTITIES],
                         uint64_t now, unsigned wanted, struct sample *sample)
{
	unsigned walked = may_walk(config->probe) ? wanted & WALKED : 0;
	unsigned others = wanted & ~(WALKED | COUNTED);
	struct look look;
	bool has_look, is_known_within, is_due;
	uint64_t peak;

	if (others != 0)
		meter_read(config->probe, others, sample);
	if (config->probe == PROBE_RUSAGE || (wanted & (WALKED | COUNTED)) == 0) {
		meter_read(config->probe, wanted & COUNTED, sample);
		return 0;
	}
	is_due = walked != 0 && is_stale(now);
	has_look = look_at_usage(&look, &peak);
	if (has_look && !is_due && is_within_at_peak(limit, walked, look, peak))
		return 0;
	has_look = read_resident(sample, &look) && has_look;
	if (walked == 0)
		return 0;
	if (has_look && self.is_bounded)
		bounds_advance(&self.bounds, &look);
	is_known_within = has_look && is_within(&self.bounds, limit);
	if (is_known_within && !is_due)
		return 0;
	if (!can_afford_walk(config, now))
		return is_known_within ? 0 : walked;
	walk_in_budget(config, has_look ? &look : NULL, sample);
	return 0;
}
