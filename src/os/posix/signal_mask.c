/* signal_mask.c - see signal_mask.h. A set of the C library's is taken for the words that it is
 * made of, in each of which the lowest bit is the first signal's: so it is on every system that is
 * named here. */
#include "os/signal_mask.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

_Static_assert(sizeof(sigset_t) % sizeof(signal_word) == 0, "a set is words");

static struct signal_mask from_set(const sigset_t *set, bool is_known)
{
	struct signal_mask mask = {.is_known = is_known};

	memcpy(mask.words, set, sizeof mask.words);
	return mask;
}

static sigset_t to_set(const struct signal_mask *mask)
{
	sigset_t set;

	memcpy(&set, mask->words, sizeof set);
	return set;
}

struct signal_mask signal_mask_hold(void)
{
	struct signal_mask but_faults = signal_mask_but_faults();
	sigset_t held = to_set(&but_faults), before;
	bool is_known;

	memset(&before, 0, sizeof before); /* not sigemptyset(), which may leave a rest as it is */
	is_known = pthread_sigmask(SIG_BLOCK, &held, &before) == 0;
	return from_set(&before, is_known);
}

void signal_mask_restore(const struct signal_mask *mask)
{
	sigset_t set = to_set(mask);

	if (mask->is_known)
		pthread_sigmask(SIG_SETMASK, &set, NULL);
}

struct signal_mask signal_mask_pending(void)
{
	sigset_t pending;
	int saved = errno;

	memset(&pending, 0, sizeof pending);
	sigpending(&pending);
	errno = saved;
	return from_set(&pending, false);
}

/* sigwait() does not wait for what is pending. */
void signal_mask_take(int signal)
{
	struct signal_mask pending = signal_mask_pending();
	sigset_t only;

	if (!signal_mask_has(&pending, signal))
		return;
	sigemptyset(&only);
	sigaddset(&only, signal);
	sigwait(&only, &signal);
}
