/* signal_mask.c - see signal_mask.h. */
#include "os/signal_mask.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/hot.h"

#ifndef SYS_rt_sigtimedwait
#define SYS_rt_sigtimedwait SYS_rt_sigtimedwait_time64
#endif

HOT struct signal_mask signal_mask_hold(void)
{
	struct signal_mask held = signal_mask_but_faults(), before = {.is_known = false};

	before.is_known =
	    syscall(SYS_rt_sigprocmask, SIG_BLOCK, held.words, before.words, sizeof before.words) == 0;
	return before;
}

HOT void signal_mask_restore(const struct signal_mask *mask)
{
	if (mask->is_known)
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask->words, NULL, sizeof mask->words);
}

struct signal_mask signal_mask_pending(void)
{
	struct signal_mask pending = {.is_known = false};

	syscall(SYS_rt_sigpending, pending.words, sizeof pending.words);
	return pending;
}

void signal_mask_take(int signal)
{
	/* Zero, whether the kernel's call has times of 32 or of 64 bits. */
	static const long no_time[4];
	struct signal_mask only = {.is_known = false};
	int saved = errno;

	signal_mask_add(&only, signal);
	syscall(SYS_rt_sigtimedwait, only.words, NULL, no_time, sizeof only.words);
	errno = saved;
}
