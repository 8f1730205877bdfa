/* number.h - the only reader of numbers, and the sum of two that may be absurdly large. Reading
 * ignores the locale, leaves errno alone and detects overflow. */
#ifndef SLSHIM_NUMBER_H
#define SLSHIM_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Saturates. */
static inline uint64_t number_add(uint64_t one, uint64_t other)
{
	uint64_t sum;

	return __builtin_add_overflow(one, other, &sum) ? UINT64_MAX : sum;
}

/* Reads decimal digits and returns the end of them; NULL if there are none, or if the number does
 * not fit in 64 bits. */
static inline const char *number_read(const char *text, uint64_t *number)
{
	const char *at = text;
	uint64_t sum = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
			return NULL;
	*number = sum;
	return at > text ? at : NULL;
}

/* Skips blanks and tabs first. */
static inline const char *number_read_next(const char *text, uint64_t *number)
{
	return number_read(text + strspn(text, " \t"), number);
}

/* Reads hexadecimal digits in lower case, as the kernel writes them. */
static inline const char *number_read_hex(const char *text, uint64_t *number)
{
	const char *at = text;
	uint64_t sum = 0;

	for (;; at++) {
		unsigned digit = *at >= '0' && *at <= '9'   ? (unsigned)(*at - '0')
		                 : *at >= 'a' && *at <= 'f' ? (unsigned)(*at - 'a') + 10
		                                            : 16;

		if (digit == 16)
			break;
		if (sum >> 60 != 0)
			return NULL;
		sum = sum << 4 | digit;
	}
	*number = sum;
	return at > text ? at : NULL;
}

/* Reads a size as the kernel writes it, "    112 kB", with nothing after it. */
static inline bool number_read_kilobytes(const char *text, uint64_t *kilobytes)
{
	const char *unit = number_read_next(text, kilobytes);

	return unit != NULL && strcmp(unit, " kB") == 0;
}

#endif
