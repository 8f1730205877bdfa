/* brief.h - figures in few characters, for people: "31.2M", "2h13m". What is not known is "-". May
 * not know: where they are shown. */
#ifndef SLSHIM_BRIEF_H
#define SLSHIM_BRIEF_H

#include <stdint.h>

#include "quantity.h"

struct brief {
	char text[24];
};

/* At most five characters: powers of 1,024, rounded to the nearest. */
struct brief brief_size(uint64_t bytes);

/* At most six: "12s", "3m05s", "2h13m", "12d05h", "123d"; whole seconds that have passed. */
struct brief brief_time(uint64_t milliseconds);

/* At most seven: all digits, or thousands of millions and so on of what has more. */
struct brief brief_count(uint64_t count);

/* As the quantity's unit has it. */
struct brief brief_quantity(enum quantity quantity, uint64_t value);

#endif
