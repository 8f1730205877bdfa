/* foreign_constructor.c - a library that is preloaded beside ours and calls every hook from its
 * constructor, which runs before ours, and from its destructor, which runs after exit began.
 * Writes a letter each time that all of them did as they should: 'c', then 'd'. */
#include "every_hook.h"

static void tell(const char *letter)
{
	if (every_hook_works() && write(STDOUT_FILENO, letter, 1) != 1)
		_exit(1);
}

__attribute__((constructor)) static void start(void)
{
	tell("c");
}

__attribute__((destructor)) static void end(void)
{
	tell("d");
}
