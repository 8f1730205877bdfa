/* accept_lock.h - locks around accept() that stay locked when a worker ends while it holds them.
 *
 * Workers may take turns at accept(). When a worker ends, the kernel releases its flock and fcntl
 * locks, and SysV semaphores taken with SEM_UNDO. It does not release the following, and then all
 * siblings wait for ever:
 *
 * - A mutex or POSIX semaphore shared between processes, a named semaphore, a SysV semaphore taken
 *   without SEM_UNDO. It is noted when it is made or taken.
 * - A token in a pipe, socketpair or eventfd. It is suspected if this process holds both ends of
 *   one that it did not make.
 *
 * A socketpair that was made before an exec is not recognised. A pipe that this process made is
 * suspected, too, if it has more descriptors than the two from pipe(). A lock that the program
 * implements itself is invisible. May not know: what follows from a suspicion. */
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

/* Called by the hooks: async-signal-safe, without system calls, keep errno. A token has two ends,
 * which are the same descriptor for an eventfd. */
void lock_noted(enum lock lock);
void lock_token_made(enum lock lock, int end, int other_end);

/* Called in the child of a fork, because what was made before is not its own. */
void lock_born(void);

/* Returns the kind of lock that this process may hold around accept(). Looks at every descriptor,
 * unless lock_noted() was called. */
enum lock lock_suspected(void);

#endif
