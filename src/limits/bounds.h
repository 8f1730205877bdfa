/* bounds.h - an upper bound on the unshared memory of a process, computed from figures that cost
 * next to nothing. Pure. May not know: where the figures come from, or limits.
 *
 * A page becomes unshared by a page fault of this process, or while resident memory rises:
 *
 *     a write to a shared page     1 fault                  resident as before
 *     a new page                   1 fault                  resident +1 page
 *     a new huge page              1 fault                  resident +512 pages
 *     pages of a file              1 fault for up to 16     resident +16
 *
 * So between two readings unshared memory grows by at most one page for each fault plus the rise of
 * resident memory, and it is never more than resident memory. It may be much less, because memory
 * that is allocated and freed again causes faults, too. Proportional memory, of which an unshared
 * page is a whole page and a shared one a part, grows by no more than that, either.
 *
 * A page that was given back by MADV_FREE comes back without a fault when it is written to, so the
 * bounds count it as unshared, whatever the measurement says.
 *
 * The bound does not cover what happens without a fault of this process: other processes stop
 * sharing pages (its parent, siblings or children write to them, unmap them, or end), it unmaps one
 * of two mappings of a page, and the kernel collapses pages into huge ones, or copies them for
 * userfaultfd. Nor does it hold if shared memory is released and as much is taken in huge pages, or
 * in pages of files, between two readings. So the caller has to
 * measure now and then. */
#ifndef SLSHIM_BOUNDS_H
#define SLSHIM_BOUNDS_H

#include <stdint.h>

/* The figures that cost next to nothing. */
struct usage {
	uint64_t resident; /* bytes */
	uint64_t faults;   /* since the process was made */
};

struct bounds {
	uint64_t page;  /* bytes */
	uint64_t slack; /* bytes by which the kernel's figure for resident memory may be off */
	struct usage last;
	uint64_t unshared, proportional; /* upper bounds, in bytes */
};

/* Starts from measured values that include lazily freed pages, or after a fork from 0 unshared
 * bytes. `page` and `slack` are already set. */
void bounds_start(struct bounds *bounds, const struct usage *usage, uint64_t unshared,
                  uint64_t proportional);

void bounds_advance(struct bounds *bounds, const struct usage *usage);

/* Returns a lower bound on shared memory, in bytes. */
uint64_t bounds_shared(const struct bounds *bounds);

#endif
