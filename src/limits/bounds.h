/* bounds.h - how much unshared memory a process can have at most, told by figures that cost next
 * to nothing. Pure. May not know: where the figures are from, or limits.
 *
 * A page becomes this process's alone by a fault of its own, or with a rise of what is resident:
 *
 *     a write to a shared page     1 fault                  resident as before
 *     a new page                   1 fault                  resident +1 page
 *     a new huge page              1 fault                  resident +512 pages
 *     pages of a file              1 fault for up to 16     resident +16
 *
 * So from one look to the next it grows by at most a page for each fault and the rise of resident;
 * and it is never more than what is resident. It may be much less: memory that is taken and freed
 * again makes faults, too. Proportional memory, of which an unshared page is a whole and a shared
 * one a part, grows by no more than that, either.
 *
 * This does not hold for what happens without a fault of this process: others stop sharing pages
 * (its parent, siblings or children write to them, unmap them, or end), and the kernel collapses
 * pages into huge ones, or copies them for userfaultfd. Nor where shared memory is given up and as
 * much taken in huge pages between two looks. Somebody has to measure now and then. */
#ifndef SLSHIM_BOUNDS_H
#define SLSHIM_BOUNDS_H

#include <stdint.h>

/* What costs next to nothing. */
struct look {
	uint64_t resident; /* bytes */
	uint64_t faults;   /* since the process was made */
};

struct bounds {
	uint64_t page;  /* bytes */
	uint64_t slack; /* bytes by which the kernel's figure of what is resident may be off */
	struct look last;
	uint64_t unshared, proportional; /* bytes: there is no more than this */
};

/* They were measured; or it was just forked, and has nothing unshared. `page` and `slack` are set.
 */
void bounds_start(struct bounds *bounds, const struct look *look, uint64_t unshared,
                  uint64_t proportional);

void bounds_advance(struct bounds *bounds, const struct look *look);

/* How much shared memory there is at least. */
uint64_t bounds_shared(const struct bounds *bounds);

#endif
