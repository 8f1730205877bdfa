/* signal_mask.h - the signals that a thread has blocked. May not know: why they are held.
 *
 * The functions are async-signal-safe and keep errno. */
#ifndef SLSHIM_SIGNAL_MASK_H
#define SLSHIM_SIGNAL_MASK_H

#include <signal.h>
#include <stdbool.h>

/* On Linux in the kernel's format, for system calls, because the C library's functions copy sets of
 * 1,024 bits; elsewhere in the C library's. */
#ifdef POSIX_FLOOR
enum {
	SIGNAL_WORD = 8 * sizeof(unsigned),
	SIGNAL_WORDS = sizeof(sigset_t) / sizeof(unsigned),
};
typedef unsigned signal_word;
#else
enum { SIGNAL_WORD = 8 * sizeof(unsigned long), SIGNAL_WORDS = (_NSIG - 2) / SIGNAL_WORD + 1 };
typedef unsigned long signal_word;
#endif

struct signal_mask {
	signal_word words[SIGNAL_WORDS];
	bool is_known; /* the kernel has told the mask, so it can be restored */
};

/* Both formats have the bit of signal 1 first. */
static inline void signal_mask_add(struct signal_mask *mask, int signal)
{
	mask->words[(signal - 1) / SIGNAL_WORD] |= (signal_word)1 << (signal - 1) % SIGNAL_WORD;
}

static inline bool signal_mask_has(const struct signal_mask *mask, int signal)
{
	return mask->words[(signal - 1) / SIGNAL_WORD] >> (signal - 1) % SIGNAL_WORD & 1;
}

/* All signals except those that the kernel raises for a fault of the thread itself. */
static inline struct signal_mask signal_mask_but_faults(void)
{
	struct signal_mask mask = {.is_known = false};

	signal_mask_add(&mask, SIGSEGV);
	signal_mask_add(&mask, SIGBUS);
	signal_mask_add(&mask, SIGILL);
	signal_mask_add(&mask, SIGFPE);
	signal_mask_add(&mask, SIGTRAP);
	signal_mask_add(&mask, SIGSYS);
	signal_mask_add(&mask, SIGABRT);
	for (unsigned i = 0; i < SIGNAL_WORDS; i++)
		mask.words[i] = ~mask.words[i];
	return mask;
}

/* signal_mask_hold() blocks all of these, and returns the mask before; signal_mask_restore()
 * restores a mask if it is known. */
struct signal_mask signal_mask_hold(void);
void signal_mask_restore(const struct signal_mask *mask);

/* The signals that are pending for this thread or this process. */
struct signal_mask signal_mask_pending(void);

/* Takes a signal that is pending and blocked, if there is one, so that it is not delivered. One of
 * the thread comes before one of the process. */
void signal_mask_take(int signal);

#endif
