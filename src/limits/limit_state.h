/* limit_state.h - what was measured of a worker, which limits that crosses, and since when.
 *
 * May not know: how a worker leaves, or what is in its way. */
#ifndef SLSHIM_LIMIT_STATE_H
#define SLSHIM_LIMIT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "limits/life.h"
#include "limits/meter.h"
#include "os/persistent_file.h"
#include "quantity.h"

enum { CROSSED_BY_REQUEST = 1u << QUANTITIES };

/* Written by the thread that judges, of which there is one at a time; `crossed` is read by all. */
struct limit_state {
	unsigned crossed;           /* bit q: the limit on quantity q, by the last sample, where that
	                               counts; CROSSED_BY_REQUEST: the application has asked */
	uint64_t limit[QUANTITIES]; /* of this worker, within SL_JITTER of those that are set */
	struct sample sample;       /* the last one */
	uint64_t since;             /* when `crossed` became other than 0; boot clock, milliseconds */
	uint64_t served;            /* connections until then */
	uint64_t undecided_for;     /* milliseconds before it in which the budget allowed no walk */

	/* Of this file alone. */
	const struct config *config;
	const struct life *life;
	unsigned over;                  /* as `crossed`, whether or not it counts */
	uint64_t strikes;               /* measurements in a row by which it was */
	uint64_t undecided_at;          /* since when the budget has allowed no walk; 0: it does */
	unsigned wanted;                /* bit q: a limit is set on quantity q */
	unsigned of_request;            /* those that are about the request at hand, ... */
	uint64_t of_others[QUANTITIES]; /* ... and what they were */
	struct persistent_file pressure;
	struct meter meter;
};

/* Of a process that has not begun. */
#define LIMIT_STATE_UNKNOWN                                                                        \
	{                                                                                              \
		.pressure = {.fd = -1}, .meter = METER_CLOSED                                              \
	}

/* At birth. `serves`: it was forked, and may be a worker. `pressure_path`: the file that tells the
 * pressure, "" where none does. All three pointers are kept. */
void limit_state_begin(struct limit_state *state, const struct config *config,
                       const struct life *life, const char *pressure_path, bool serves);

/* True where a limit is crossed and none was before. What is crossed counts after SL_STRIKES
 * measurements in a row, from SL_MIN_AGE on, and while there is SL_PRESSURE. */
bool limit_state_measure(struct limit_state *state);

/* Which limits are crossed before the first connection. A limit that is crossed only because of
 * SL_JITTER is set back to what the configuration says. */
unsigned limit_state_at_birth(struct limit_state *state);

/* These limits are off for this worker. */
void limit_state_disable(struct limit_state *state, unsigned limits);

/* Measures again, whatever it costs. */
void limit_state_measure_again(struct limit_state *state);

/* Is a limit crossed, also as far as the budget left it open? No worker leaves for a figure that is
 * unknown. */
bool limit_state_is_crossed_still(struct limit_state *state);

/* The application sets a limit, 0 for none, for good or for the request at hand; or it asks this
 * worker to leave: then true as of limit_state_measure(). */
void limit_state_set(struct limit_state *state, enum quantity quantity, uint64_t limit);
void limit_state_set_for_request(struct limit_state *state, enum quantity quantity, uint64_t limit);
bool limit_state_ask_to_leave(struct limit_state *state);

/* False if that cannot be known. */
bool limit_state_tell(struct limit_state *state, enum quantity quantity, uint64_t *value);

/* All that can be known of the worker now; what was judged stays as it was. */
struct sample limit_state_describe(struct limit_state *state);

#endif
