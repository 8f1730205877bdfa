/* limit_state.h - what was measured of this worker, which limits it is over, and since when.
 *
 * May not know: how a worker leaves, or what blocks it. */
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

/* Written by the thread that checks, of which there is one at a time. All threads read `crossed`.
 */
struct limit_state {
	unsigned crossed;           /* bit q: the last sample crosses the limit on quantity q, and it
	                               counts; CROSSED_BY_REQUEST: the application has asked */
	uint64_t limit[QUANTITIES]; /* of this worker, within SL_JITTER of the configured ones */
	struct sample sample;       /* the last one */
	uint64_t since;             /* when `crossed` became nonzero; boot clock, milliseconds */
	uint64_t served;            /* connections until then */
	uint64_t measured_at;       /* when `sample` was; boot clock, milliseconds */
	uint64_t undecided_for; /* milliseconds before `since` in which the budget allowed no walk */

	/* Private to limit_state.c. */
	const struct config *config;
	const struct life *life;
	unsigned over;                  /* like `crossed`, whether or not it counts */
	uint64_t strikes;               /* measurements in a row that crossed a limit */
	uint64_t undecided_at;          /* since when the budget has allowed no walk; 0: it allows it */
	unsigned wanted;                /* bit q: a limit is set on quantity q */
	unsigned of_request;            /* bit q: the limit is for the current request only, ... */
	uint64_t of_others[QUANTITIES]; /* ... and this one returns after it */
	struct persistent_file pressure;
	struct meter meter;
};

/* The state before limit_state_begin(). */
#define LIMIT_STATE_UNKNOWN                                                                        \
	{                                                                                              \
		.pressure = {.fd = -1}, .meter = METER_CLOSED                                              \
	}

/* Called at birth. `serves`: the process was forked, and may be a worker. `pressure_path`: the file
 * that tells the memory pressure, "" if there is none. The three pointers have to stay valid. */
void limit_state_begin(struct limit_state *state, const struct config *config,
                       const struct life *life, const char *pressure_path, bool serves);

/* Before a chroot: see meter_keep(). */
void limit_state_keep(struct limit_state *state);

/* Measures, and returns true if a limit is crossed and none was before. A crossed limit counts
 * after SL_STRIKES measurements in a row, from the age of SL_MIN_AGE on, and while memory pressure
 * is at least SL_PRESSURE. */
bool limit_state_measure(struct limit_state *state);

/* Returns the limits that are crossed before the first connection. A limit that is crossed only
 * because of SL_JITTER is set back to the configured one. */
unsigned limit_state_at_birth(struct limit_state *state);

/* Is a limit on memory set whose figure cannot be read by this worker? */
bool limit_state_is_blind(struct limit_state *state);

/* Turns these limits off for this worker. */
void limit_state_disable(struct limit_state *state, unsigned limits);

/* Called when it begins to serve: see meter_note_inherited(). */
void limit_state_begin_serving(struct limit_state *state);

/* Measures again, whatever the budget says. */
void limit_state_measure_again(struct limit_state *state);

/* Is a limit still crossed? Measures what the budget left unknown, because no worker leaves for an
 * unknown figure. */
bool limit_state_is_crossed_still(struct limit_state *state);

/* What the application may ask for: a limit (0: none) for good or for the current request, or that
 * this worker leaves; limit_state_ask_to_leave() returns the same as limit_state_measure(). */
void limit_state_set(struct limit_state *state, enum quantity quantity, uint64_t limit);
void limit_state_set_for_request(struct limit_state *state, enum quantity quantity, uint64_t limit);
bool limit_state_ask_to_leave(struct limit_state *state);

/* Measures one quantity; false if it cannot be known. */
bool limit_state_tell(struct limit_state *state, enum quantity quantity, uint64_t *value);

/* Returns what can be known in a few microseconds. */
struct sample limit_state_glance(struct limit_state *state);

/* Returns all that can be known of the worker: what was judged, and what else a probe tells now.
 * Leaves `sample` and `crossed` as they are. */
struct sample limit_state_describe(struct limit_state *state);

#endif
