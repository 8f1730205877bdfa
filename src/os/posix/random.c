/* random.c - see random.h. */
#define _DEFAULT_SOURCE
#include "os/random.h"

#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h> /* there, getentropy() is not in unistd.h */
#endif

bool random_number(uint32_t *number)
{
#ifdef HAVE_GETENTROPY
	return getentropy(number, sizeof *number) == 0;
#else
	(void)number;
	return false;
#endif
}
