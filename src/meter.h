/* meter.h - what memory this process has now, as cheaply as the question allows.
 *
 * May not know: limits' values, connections, or what the answer is for. */
#ifndef SLSHIM_METER_H
#define SLSHIM_METER_H

#include "config.h"
#include "quantity.h"

/* Adds to `sample` the quantities that are asked for (bit q of `wanted`), and what comes from the
 * same source: size with resident, shared with unshared. What the chosen probe cannot tell stays
 * unknown. */
void meter_read(enum probe_choice choice, unsigned wanted, struct sample *sample);

#endif
