/* process.h - whether another process is still the one that it was. May not know: why one asks. */
#ifndef SLSHIM_PROCESS_H
#define SLSHIM_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The boot clock, which goes on during suspend and is set by nobody, in milliseconds. */
uint64_t process_clock(void);

/* When a process that is neither dead nor a zombie was started, in ticks after boot (field 22 of
 * /proc/PID/stat, whose field 3 is the state and field 4 the parent); 0 if it is not there, dead,
 * or cannot be told. */
uint64_t process_start_time(pid_t pid);

/* Is the process of this pid alive, and the one that had this start time (0: whichever)? */
bool process_is_alive(pid_t pid, uint64_t start_time);

/* ... and has it the caller's parent? */
bool process_is_sibling(pid_t pid, uint64_t start_time);

/* Is the caller the thread that the process started with? */
bool process_is_main_thread(void);

/* No open descriptor has this number or a higher one. */
int process_descriptor_end(void);

/* Calls `visit` with each descriptor that is open, until it returns false. True if that was all of
 * them; false as well if it cannot be told which are open. */
bool process_each_descriptor(bool (*visit)(int fd, void *argument), void *argument);

/* Does a process hold, under any of its lower descriptors, the very file that the caller's `fd` is?
 * Of sockets and the like; false if one may not look. */
bool process_holds(pid_t pid, int fd);

/* Has this process a handler for the signal, which would be ignored or kill otherwise? */
bool process_handles(int signal);

/* The signals that a thread has blocked, as the kernel has them. By system calls, because the C
 * library's functions copy sets of 1024 bits. */
enum { SIGNAL_WORD = 8 * sizeof(unsigned long), SIGNAL_WORDS = (_NSIG - 2) / SIGNAL_WORD + 1 };
struct signal_mask {
	unsigned long words[SIGNAL_WORDS];
	bool is_known; /* the kernel has told, and is to be told again */
};

static inline void process_add_signal(struct signal_mask *mask, int signal)
{
	mask->words[(signal - 1) / SIGNAL_WORD] |= 1ul << (signal - 1) % SIGNAL_WORD;
}

static inline bool process_blocks(const struct signal_mask *mask, int signal)
{
	return mask->words[(signal - 1) / SIGNAL_WORD] >> (signal - 1) % SIGNAL_WORD & 1;
}

/* Blocks all signals but those by which the kernel tells a thread of its own fault; what was
 * blocked before. Or blocks just what `mask` says, unless it is not known. */
struct signal_mask process_hold_signals(void);
void process_set_mask(const struct signal_mask *mask);

/* Has this process children that were not waited for? Dead ones hide whether others live. */
bool process_has_children(void);

/* How many threads this process has; 0 if that cannot be told. */
unsigned process_threads(void);

#endif
