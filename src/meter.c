/* meter.c - chooses among the probes. See meter.h for what it may not know. */
#include "meter.h"

#include "probe.h"

/* Sums over the mappings walk the page tables: only for who asks what they alone can tell. */
enum {
	WALKED = 1u << QUANTITY_SHARED | 1u << QUANTITY_UNSHARED,
	COUNTED = 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT
};

void meter_read(enum probe_choice choice, unsigned wanted, struct sample *sample)
{
	static const char self[] = "/proc/self";

	if (choice == PROBE_RUSAGE) {
		if (wanted & 1u << QUANTITY_RESIDENT)
			probe_rusage(self, sample);
		return;
	}
	if (wanted & COUNTED)
		probe_statm(self, sample);
	if ((wanted & WALKED) == 0 || choice == PROBE_STATM)
		return;
	if (choice == PROBE_SMAPS || (!probe_rollup(self, sample) && choice == PROBE_AUTO))
		probe_smaps(self, sample);
}
