/* foreign_constructor.c - a library that is preloaded beside ours and calls every hook from its
 * constructor, which runs before ours, and from its destructor, which runs after exit began.
 * Writes a letter each time that all of them did as they should: 'c', then 'd'. */
#include "every_hook.h"

static int named_semaphore_works(void)
{
	static const char name[] = "/slshim.foreign_constructor";
	sem_t *made = sem_open(name, O_CREAT, 0600, 1u), *found = sem_open(name, 0);
	int value = -1;

	sem_unlink(name);
	return made != SEM_FAILED && found == made && sem_getvalue(found, &value) == 0 && value == 1;
}

static void tell(const char *letter)
{
	if (every_hook_works() && named_semaphore_works() && write(STDOUT_FILENO, letter, 1) != 1)
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
