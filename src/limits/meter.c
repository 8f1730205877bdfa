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

/* ------------------------------------------------------------------ probes */

static bool read_by(probe_function *probe, struct persistent_file *source, struct sample *sample)
{
	int fd = persistent_file_borrow(source);
	bool is_read = probe(fd, sample);

	persistent_file_return(source, fd);
	return is_read;
}

static bool walk_by(struct meter *meter, enum probe_choice choice, struct sample *sample)
{
	if (choice != PROBE_SMAPS && read_by(probe_smaps, &meter->rollup, sample))
		return true;
	return choice != PROBE_ROLLUP && read_by(probe_smaps, &meter->smaps, sample);
}

static bool walk(struct meter *meter, enum probe_choice choice, struct sample *sample)
{
	uint64_t unshared;

	if (!walk_by(meter, choice, sample))
		return false;
	unshared = sample->value[QUANTITY_UNSHARED];
	if (!meter->has_first)
		meter->first = unshared;
	meter->has_first = true;
	sample_set(sample, QUANTITY_GROWTH, unshared > meter->first ? unshared - meter->first : 0);
	return true;
}

static bool may_walk(enum probe_choice choice)
{
	return choice != PROBE_STATM && choice != PROBE_RUSAGE;
}

void meter_read(struct meter *meter, enum probe_choice choice, unsigned wanted,
                struct sample *sample)
{
	if (choice == PROBE_RUSAGE && (wanted & 1u << QUANTITY_RESIDENT))
		probe_rusage(-1, sample);
	if (choice != PROBE_RUSAGE && (wanted & COUNTED))
		read_by(probe_statm, &meter->statm, sample);
	if (choice != PROBE_RUSAGE && (wanted & 1u << QUANTITY_SWAPPED))
		read_by(probe_status, &meter->status, sample);
	if (wanted & 1u << QUANTITY_CPU)
		probe_cpu(-1, sample);
	if (wanted & 1u << QUANTITY_DESCRIPTORS)
		read_by(probe_descriptors, &meter->descriptors, sample);
	if ((wanted & WALKED) && may_walk(choice))
		walk(meter, choice, sample);
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

static bool read_resident(struct meter *meter, struct sample *sample, struct look *look)
{
	if (!read_by(probe_statm, &meter->statm, sample))
		return false;
	look->resident = sample->value[QUANTITY_RESIDENT];
	return true;
}

static void start_bounds(struct meter *meter, const struct look *look, uint64_t unshared,
                         uint64_t proportional)
{
	meter->bounds.page = (uint64_t)sysconf(_SC_PAGESIZE);
	meter->bounds.slack = probe_resident_slack();
	meter->is_bounded = !probe_reserved_pages();
	bounds_start(&meter->bounds, look, unshared, proportional);
}

/* A child has none of its own until its first fault; those since the fork count. */
void meter_begin(struct meter *meter, const struct config *config, bool serves)
{
	/* A young worker may grow fast, and has not saved anything for walks yet. */
	const int64_t at_birth = INT64_C(50000000);
	struct sample sample = {.known = 0};
	struct look look;

	meter_end(meter); /* those of the process that forked this one tell of that one */
	meter->is_bounded = meter->has_first = false;
	meter->credit = at_birth;
	meter->walked_at = clock_boot();
	meter->credited_at = meter->walked_at;
	if (!serves)
		return;
	persistent_file_open(&meter->statm);
	if (config->limit[QUANTITY_SWAPPED] > 0)
		persistent_file_open(&meter->status);
	if (!may_walk(config->probe))
		return;
	if (config->probe != PROBE_SMAPS)
		persistent_file_open(&meter->rollup);
	if (meter->rollup.fd < 0 && config->probe != PROBE_ROLLUP)
		persistent_file_open(&meter->smaps);
	look.faults = 0;
	if (read_resident(meter, &sample, &look))
		start_bounds(meter, &look, 0, look.resident);
}

void meter_end(struct meter *meter)
{
	persistent_file_close(&meter->statm);
	persistent_file_close(&meter->rollup);
	persistent_file_close(&meter->smaps);
	persistent_file_close(&meter->status);
}

/* ------------------------------------------------------------------ checks */

static bool has_grown_at_most(const struct meter *meter, const struct bounds *bounds,
                              uint64_t growth)
{
	return meter->has_first &&
	       (bounds->unshared <= meter->first || bounds->unshared - meter->first <= growth);
}

/* Not crossed, whatever a walk would find. */
static bool is_within(const struct meter *meter, const struct bounds *bounds,
                      const uint64_t limit[QUANTITIES])
{
	uint64_t most = limit[QUANTITY_UNSHARED], least = limit[QUANTITY_SHARED];
	uint64_t proportional = limit[QUANTITY_PROPORTIONAL], growth = limit[QUANTITY_GROWTH];

	return meter->is_bounded && (most == 0 || bounds->unshared <= most) &&
	       (least == 0 || bounds_shared(bounds) >= least) &&
	       (proportional == 0 || bounds->proportional <= proportional) &&
	       (growth == 0 || has_grown_at_most(meter, bounds, growth));
}

/* Whether no limit is crossed, even if as much is resident as ever was: mostly so while a process
 * grows, and statm costs twice as much as the usage. What is mapped, or no longer shared, is not to
 * be told from a peak. */
static bool is_within_at_peak(const struct meter *meter, const uint64_t limit[QUANTITIES],
                              unsigned walked, struct look look, uint64_t peak)
{
	struct bounds bounds;

	if (peak == 0 || limit[QUANTITY_SIZE] != 0 || limit[QUANTITY_SHARED] != 0)
		return false;
	if (limit[QUANTITY_RESIDENT] != 0 && peak > limit[QUANTITY_RESIDENT])
		return false;
	if (walked == 0)
		return true;
	if (look.faults == meter->bounds.last.faults) /* then nothing came */
		return is_within(meter, &meter->bounds, limit);
	look.resident = peak;
	bounds = meter->bounds;
	bounds_advance(&bounds, &look);
	return is_within(meter, &bounds, limit);
}

/* What raises no fault here is found by a walk now and then: not after so many checks, since a fast
 * worker would come to those too soon for what a walk costs. */
static bool is_stale(const struct meter *meter, uint64_t now)
{
	const uint64_t period = UINT64_C(10000000000);

	return now - meter->walked_at > period;
}

/* A share of the time since birth is for walks, beside what they may take at birth; what is saved
 * for long is forgotten. */
static bool can_afford_walk(struct meter *meter, const struct config *config, uint64_t now)
{
	const int64_t saved = INT64_C(10000000000) / 100 * config->probe_budget;

	meter->credit += (int64_t)((now - meter->credited_at) / 100 * config->probe_budget);
	if (meter->credit > saved)
		meter->credit = saved;
	meter->credited_at = now;
	return meter->credit > 0;
}

/* While a child lives it shares all that is not unshared since: no base for what comes after it. */
static bool walk_in_budget(struct meter *meter, const struct config *config,
                           const struct look *look, struct sample *sample)
{
	uint64_t start = clock_thread();
	bool is_measured = walk(meter, config->probe, sample);

	meter->credit -= (int64_t)(clock_thread() - start);
	meter->walked_at = clock_boot();
	if (is_measured && look != NULL && !process_has_children())
		start_bounds(meter, look, sample->value[QUANTITY_UNSHARED],
		             sample->value[QUANTITY_PROPORTIONAL]);
	return is_measured;
}

HOT unsigned meter_check(struct meter *meter, const struct config *config,
                         const uint64_t limit[QUANTITIES], uint64_t now, unsigned wanted,
                         struct sample *sample)
{
	unsigned walked = may_walk(config->probe) ? wanted & WALKED : 0;
	unsigned others = wanted & ~(WALKED | COUNTED);
	struct look look;
	bool has_look, is_known_within, is_due;
	uint64_t peak;

	if (others != 0)
		meter_read(meter, config->probe, others, sample);
	if (config->probe == PROBE_RUSAGE || (wanted & (WALKED | COUNTED)) == 0) {
		meter_read(meter, config->probe, wanted & COUNTED, sample);
		return 0;
	}
	is_due = walked != 0 && is_stale(meter, now);
	has_look = look_at_usage(&look, &peak);
	if (has_look && !is_due && is_within_at_peak(meter, limit, walked, look, peak))
		return 0;
	has_look = read_resident(meter, sample, &look) && has_look;
	if (walked == 0)
		return 0;
	if (has_look && meter->is_bounded)
		bounds_advance(&meter->bounds, &look);
	is_known_within = has_look && is_within(meter, &meter->bounds, limit);
	if (is_known_within && !is_due)
		return 0;
	if (!can_afford_walk(meter, config, now))
		return is_known_within ? 0 : walked;
	walk_in_budget(meter, config, has_look ? &look : NULL, sample);
	return 0;
}
