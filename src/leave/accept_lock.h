/* accept_lock.h - locks around accept() that outlive a worker which ends while it holds them.
 *
 * Workers may take turns at accept. An flock, an fcntl lock and a SysV semaphore taken with
 * SEM_UNDO are released by the kernel when their holder ends. These are not, and all siblings would
 * wait for good:
 *
 *     a mutex or POSIX semaphore that processes share, a named one, a SysV semaphore taken without
 *     SEM_UNDO: noted when it is made or taken;
 *     a token in a pipe, a socketpair or an eventfd: this process holds both ends of one that it
 * did not make itself. A socketpair that was made before an exec is not recognised. A pipe of its
 * own with more than the two descriptors that it was made with is taken for one of others.
 *
 * Locks of a program's own make are invisible. May not know: what is done about a suspicion. */
#ifndef SLSHIM_ACCEPT_LOCK_H
#define SLSHIM_ACCEPT_LOCK_H

enum lock {
	LOCK_NONE,
	LOCK_MUTEX,
	LOCK_SEMAPHORE,
	LOCK_SYSV_SEMAPHORE,
	LOCK_PIPE,
	LOCK_SOCKETPAIR,
	LOCK_EVENTFD,
	LOCKS
};

/* From the hooks; async-signal-safe, keep errno; no system call. A token's two ends; an eventfd is
 * both. */
void lock_noted(enum lock lock);
void lock_token_made(enum lock lock, int end, int other_end);

/* In the child of a fork: what was made so far is not this process's own. */
void lock_born(void);

/* What may be held around accept in this process; looks at every descriptor, but where a note
 * says it all. */
enum lock lock_suspected(void);

#endif
