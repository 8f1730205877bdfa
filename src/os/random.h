/* random.h - a number from the kernel's own source. May not know: what is drawn.
 *
 * Async-signal-safe; may change errno. */
#ifndef SLSHIM_RANDOM_H
#define SLSHIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* False, without waiting, if there is none. */
bool random_number(uint32_t *number);

#endif
