/* guard.h - one thread of a worker judges at a time, and nothing interrupts it.
 *
 * It is not cancelled meanwhile, and signals wait, because a cancellation, or a handler that does
 * not return, would leave the worker half judged for good. A thread that finds the guard taken goes
 * on without judging, because a later connection will do. May not know: what is judged. */
#ifndef SLSHIM_GUARD_H
#define SLSHIM_GUARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "exit_method.h"
#include "os/signal_mask.h"

enum { POINTS = POINT_IDLE + 1 };

struct guard {
	atomic_flag is_taken;
	/* The signals that were blocked whenever the exit point came. Written under the guard. */
	struct signal_mask blocked[POINTS];
};

/* Of the thread that has taken it. */
struct guard_hold {
	struct signal_mask mask; /* that the thread had */
	int cancellation;
};

/* In a process that begins: nobody holds it, and nothing is known of handlers. */
void guard_begin(struct guard *guard);

static inline void guard_let_through(const struct guard_hold *hold)
{
	int ignored;

	signal_mask_restore(&hold->mask);
	pthread_setcancelstate(hold->cancellation, &ignored);
}

/* False where another thread has it. */
static inline bool guard_take(struct guard *guard, struct guard_hold *hold)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &hold->cancellation);
	hold->mask = signal_mask_hold();
	if (!atomic_flag_test_and_set(&guard->is_taken))
		return true;
	guard_let_through(hold);
	return false;
}

static inline void guard_release(struct guard *guard, const struct guard_hold *hold)
{
	atomic_flag_clear(&guard->is_taken);
	guard_let_through(hold);
}

/* The exit point has come, with these signals blocked. */
static inline void guard_note_blocked(struct guard *guard, const struct guard_hold *hold,
                                      enum exit_point point)
{
	for (unsigned i = 0; i < SIGNAL_WORDS; i++)
		guard->blocked[point].words[i] &= hold->mask.words[i];
}

/* Is the caller in a signal handler, or on the stack of one? A handler has its signal blocked,
 * which is not blocked each time that this point comes. What it has interrupted may hold a lock of
 * the C library. */
bool guard_is_in_handler(const struct guard *guard, const struct guard_hold *hold,
                         enum exit_point point);

/* On a stack that a handler has for itself there is little room, and none for another handler. */
bool guard_is_on_handlers_stack(void);

#endif
