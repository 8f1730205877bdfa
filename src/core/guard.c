/* guard.c - see guard.h. */
#include "core/guard.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

void guard_begin(struct guard *guard)
{
	atomic_flag_clear(&guard->is_taken);
	memset(guard->blocked, 0xff, sizeof guard->blocked);
}

bool guard_is_on_handlers_stack(void)
{
	stack_t stack;

	return sigaltstack(NULL, &stack) != 0 || (stack.ss_flags & SS_ONSTACK) != 0;
}

bool guard_is_in_handler(const struct guard *guard, const struct guard_hold *hold,
                         enum exit_point point)
{
	for (size_t i = 0; i < SIGNAL_WORDS; i++)
		if (hold->mask.words[i] & ~guard->blocked[point].words[i])
			return true;
	return guard_is_on_handlers_stack();
}
