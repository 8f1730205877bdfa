/* random.c - see random.h. */
#include "os/random.h"

#include <sys/random.h>

bool random_number(uint32_t *number)
{
	return getrandom(number, sizeof *number, GRND_NONBLOCK) == sizeof *number;
}
