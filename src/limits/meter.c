/* meter.c - chooses the probes, and when to use them. */
#include "limits/meter.h"

#include <sys/resource.h>
#include <unistd.h>

#include "limits/bounds.h"
#include "os/clock.h"
#include "os/hot.h"
#include "os/number.h"
#include "os/persistent_file.h"
#include "os/process.h"
#include "probe.h"

/* The sums over the mappings take a walk of the page tables, so they are read only for the
 * quantities that no other source tells. */
enum {
	WALKED = 1u << QUANTITY_SHARED | 1u << QUANTITY_UNSHARED | 1u << QUANTITY_PROPORTIONAL |
	         1u << QUANTITY_GROWTH | 1u << QUANTITY_POOL,
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

static bool read_mappings(struct meter *meter, struct sample *sample)
{
	int fd = persistent_file_borrow(&meter->smaps);
	bool is_read = probe_sharing_without(fd, &meter->inherited, sample);

	persistent_file_return(&meter->smaps, fd);
	return is_read;
}

/* The rollup is cheaper, but does not tell what belongs to a shared mapping. */
static bool read_sums(struct meter *meter, enum probe_choice choice, bool tells_apart,
                      struct sample *sample)
{
	if (choice == PROBE_SMAPS || tells_apart)
		return read_mappings(meter, sample) ||
		       (choice != PROBE_SMAPS && read_by(probe_sharing, &meter->rollup, sample));
	return read_by(probe_sharing, &meter->rollup, sample) ||
	       (choice != PROBE_ROLLUP && read_mappings(meter, sample));
}

static bool walk(struct meter *meter, enum probe_choice choice, bool tells_apart,
                 struct sample *sample)
{
	uint64_t unshared;

	if (!read_sums(meter, choice, tells_apart, sample))
		return false;
	meter->has_left_out = sample->of_shared_mappings > 0;
	unshared = meter->unshared = sample->value[QUANTITY_UNSHARED];
	meter->proportional = sample->value[QUANTITY_PROPORTIONAL];
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
		read_by(probe_sizes, &meter->statm, sample);
	if (choice != PROBE_RUSAGE && (wanted & 1u << QUANTITY_SWAPPED))
		read_by(probe_swapped, &meter->status, sample);
	if (wanted & 1u << QUANTITY_CPU)
		probe_cpu(-1, sample);
	if ((wanted & 1u << QUANTITY_DESCRIPTORS) &&
	    !read_by(probe_descriptors, &meter->descriptors, sample))
		probe_each_descriptor(-1, sample);
	if ((wanted & WALKED) && may_walk(choice))
		walk(meter, choice, meter->inherited.count > 0, sample);
}

/* The sources of memory are opened together, and lost together. */
bool meter_is_blind(struct meter *meter, const struct config *config, unsigned wanted)
{
	enum { MEMORY = WALKED | COUNTED | 1u << QUANTITY_SWAPPED };
	struct sample sample = {.known = 0};

	return config->probe != PROBE_RUSAGE && (wanted & MEMORY) != 0 &&
	       !read_by(probe_sizes, &meter->statm, &sample);
}

/* ------------------------------------------------------------------ bounds */

/* Called before resident memory is read, so that a fault of another thread in between counts at the
 * next reading. */
static bool read_usage(struct usage *usage, uint64_t *peak)
{
	struct rusage found;

	if (getrusage(RUSAGE_SELF, &found) != 0)
		return false;
	usage->faults = (uint64_t)found.ru_minflt + (uint64_t)found.ru_majflt;
	*peak = probe_usage_peak(&found);
	return true;
}

static bool read_resident(struct meter *meter, struct sample *sample, struct usage *usage)
{
	if (!read_by(probe_sizes, &meter->statm, sample))
		return false;
	usage->resident = sample->value[QUANTITY_RESIDENT];
	return true;
}

static void start_bounds(struct meter *meter, const struct usage *usage, uint64_t unshared,
                         uint64_t proportional)
{
	meter->bounds.page = (uint64_t)sysconf(_SC_PAGESIZE);
	meter->bounds.slack = probe_resident_slack();
	meter->is_bounded = !probe_is_unbounded();
	bounds_start(&meter->bounds, usage, unshared, proportional);
}

static void open_sources(struct meter *meter, const struct config *config)
{
	persistent_file_open(&meter->statm);
	if (config->limit[QUANTITY_SWAPPED] > 0)
		persistent_file_open(&meter->status);
	if (may_walk(config->probe) && config->probe != PROBE_SMAPS)
		persistent_file_open(&meter->rollup);
	if (may_walk(config->probe) && meter->rollup.fd < 0 && config->probe != PROBE_ROLLUP)
		persistent_file_open(&meter->smaps);
}

void meter_note_inherited(struct meter *meter, enum probe_choice choice,
                          const uint64_t limit[QUANTITIES])
{
	bool is_told = choice == PROBE_AUTO || choice == PROBE_SMAPS;

	if (!meter->are_noted && is_told &&
	    (limit[QUANTITY_UNSHARED] > 0 || limit[QUANTITY_GROWTH] > 0))
		mappings_note_shared(&meter->inherited);
	meter->are_noted = true;
}

void meter_keep(struct meter *meter, const struct config *config)
{
	open_sources(meter, config);
	if (meter->inherited.count > 0 && meter->smaps.fd < 0)
		persistent_file_open(&meter->smaps);
	probe_is_unbounded();
	probe_resident_slack();
}

/* A child has no unshared memory until its first fault, so its faults are counted from the fork on.
 */
void meter_begin(struct meter *meter, const struct config *config, bool serves)
{
	/* A young worker may grow fast, and has not saved anything for walks yet. */
	const int64_t at_birth = INT64_C(50000000);
	struct sample sample = {.known = 0};
	struct usage usage;

	meter_end(meter); /* the inherited descriptors are about the parent */
	meter->is_bounded = meter->has_first = false;
	meter->unshared = meter->proportional = 0;
	meter->inherited.count = 0;
	meter->are_noted = meter->has_left_out = false;
	meter->credit = at_birth;
	meter->walks = meter->walked_for = 0;
	meter->walked_at = clock_boot();
	meter->credited_at = meter->walked_at;
	if (!serves)
		return;
	meter->peak_slack = probe_peak_slack();
	open_sources(meter, config);
	usage.faults = 0;
	if (may_walk(config->probe) && read_resident(meter, &sample, &usage))
		start_bounds(meter, &usage, 0, usage.resident);
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

/* Is no limit crossed, whatever a walk would find? */
static bool is_within(const struct meter *meter, const struct bounds *bounds,
                      const uint64_t limit[QUANTITIES])
{
	uint64_t most = limit[QUANTITY_UNSHARED], least = limit[QUANTITY_SHARED];
	uint64_t proportional = meter->most_proportional, growth = limit[QUANTITY_GROWTH];

	return meter->is_bounded && (most == 0 || bounds->unshared <= most) &&
	       (least == 0 || bounds_shared(bounds) >= least) &&
	       (proportional == 0 || bounds->proportional <= proportional) &&
	       (growth == 0 || has_grown_at_most(meter, bounds, growth));
}

/* Is no limit crossed, even if resident memory is at its peak? This is asked first, because
 * getrusage() costs half of reading statm, and a growing process is mostly at its peak. A peak does
 * not tell the size of the address space, or how much is no longer shared. */
static bool is_within_at_peak(const struct meter *meter, const uint64_t limit[QUANTITIES],
                              unsigned walked, struct usage usage, uint64_t peak)
{
	struct bounds bounds;

	if (peak == 0 || limit[QUANTITY_SIZE] != 0 || limit[QUANTITY_SHARED] != 0)
		return false;
	peak = number_add(peak, meter->peak_slack);
	if (limit[QUANTITY_RESIDENT] != 0 && peak > limit[QUANTITY_RESIDENT])
		return false;
	if (walked == 0)
		return true;
	if (usage.faults == meter->bounds.last.faults) /* no page was added */
		return is_within(meter, &meter->bounds, limit);
	usage.resident = peak;
	bounds = meter->bounds;
	bounds_advance(&bounds, &usage);
	return is_within(meter, &bounds, limit);
}

/* Changes without a fault of this process are found by a walk now and then. The period is in time
 * and not in checks, because in a fast worker so many checks would soon have passed. */
static bool is_stale(const struct meter *meter, uint64_t now)
{
	const uint64_t period = UINT64_C(10000000000);

	return now - meter->walked_at > period;
}

/* Walks may take a share of the time since birth, besides the credit given at birth. Not more is
 * saved than 10 s earn. */
static bool can_afford_walk(struct meter *meter, const struct config *config, uint64_t now)
{
	const int64_t saved = INT64_C(10000000000) / 100 * config->probe_budget;

	meter->credit += (int64_t)((now - meter->credited_at) / 100 * config->probe_budget);
	if (meter->credit > saved)
		meter->credit = saved;
	meter->credited_at = now;
	return meter->credit > 0;
}

/* Pages of shared mappings matter only if the limit would be crossed with them, or to growth, which
 * a rollup before would count from a wrong beginning. */
static bool walk_for(struct meter *meter, enum probe_choice choice,
                     const uint64_t limit[QUANTITIES], struct sample *sample)
{
	bool has_shared = meter->inherited.count > 0;
	bool tells_apart = has_shared && (meter->has_left_out || limit[QUANTITY_GROWTH] > 0);
	uint64_t most = limit[QUANTITY_UNSHARED];

	return walk(meter, choice, tells_apart, sample) &&
	       (tells_apart || !has_shared || most == 0 || sample->value[QUANTITY_UNSHARED] <= most ||
	        walk(meter, choice, true, sample));
}

/* The bounds are not started from a walk while this process has a child, because the pages that it
 * shares with the child become unshared without a fault when the child ends. They start with the
 * pages that were lazily freed, because writing to these again raises no fault. */
static void walk_in_budget(struct meter *meter, const struct config *config,
                           const uint64_t limit[QUANTITIES], const struct usage *usage,
                           struct sample *sample)
{
	uint64_t took = clock_thread();
	bool is_measured = walk_for(meter, config->probe, limit, sample);

	took = clock_thread() - took;
	meter->credit -= (int64_t)took;
	meter->walked_for += took;
	meter->walks++;
	meter->walked_at = clock_boot();
	if (is_measured && usage != NULL && !process_has_children())
		start_bounds(meter, usage, sample->value[QUANTITY_UNSHARED] + sample->lazily_freed,
		             sample->value[QUANTITY_PROPORTIONAL] + sample->lazily_freed);
}

HOT unsigned meter_check(struct meter *meter, const struct config *config,
                         const uint64_t limit[QUANTITIES], uint64_t now, unsigned wanted,
                         struct sample *sample)
{
	unsigned walked = may_walk(config->probe) ? wanted & WALKED : 0;
	unsigned others = wanted & ~(WALKED | COUNTED);
	struct usage usage;
	bool has_usage, is_known_within, is_due;
	uint64_t peak;

	if (others != 0)
		meter_read(meter, config->probe, others, sample);
	if (config->probe == PROBE_RUSAGE || (wanted & (WALKED | COUNTED)) == 0) {
		meter_read(meter, config->probe, wanted & COUNTED, sample);
		return 0;
	}
	is_due = walked != 0 && is_stale(meter, now);
	has_usage = read_usage(&usage, &peak);
	if (has_usage && !is_due && is_within_at_peak(meter, limit, walked, usage, peak))
		return 0;
	has_usage = read_resident(meter, sample, &usage) && has_usage;
	if (walked == 0)
		return 0;
	if (has_usage && meter->is_bounded)
		bounds_advance(&meter->bounds, &usage);
	is_known_within = has_usage && is_within(meter, &meter->bounds, limit);
	if (is_known_within && !is_due)
		return 0;
	if (!can_afford_walk(meter, config, now))
		return is_known_within ? 0 : walked;
	walk_in_budget(meter, config, limit, has_usage ? &usage : NULL, sample);
	return 0;
}
