/* stop_at_start.c - preloaded after the library, it stops the program right before the library's
 * constructor: so that a tracer that does harm begins with that, not with the loader. */
#include <signal.h>

__attribute__((constructor)) static void stop(void)
{
	raise(SIGSTOP);
}
