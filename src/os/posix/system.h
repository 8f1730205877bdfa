/* system.h - what POSIX leaves to each system, which has a file system_NAME.c. May not know: why it
 * is asked.
 *
 * The functions are async-signal-safe; they may change errno. */
#ifndef SLSHIM_SYSTEM_H
#define SLSHIM_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct system_process {
	pid_t parent;
	/* Microseconds, by the clock that can be set. 0 only of a zombie, of which some systems do not
	 * tell it. */
	uint64_t start_time;
	bool is_zombie;
	unsigned threads; /* 0: unknown */
};

/* Finds out about a process; false if there is none, or if the system does not tell this one. */
bool system_process(pid_t pid, struct system_process *process);

/* Finds a number that all open descriptors of this process are below; false if the system does not
 * tell. */
bool system_descriptor_end(int *end);

/* Has the program more rights than who started it? */
bool system_is_privileged(void);

/* Is this FIFO one that pipe() made? */
bool system_is_unnamed_pipe(int fd);

/* The process that made the other end of a Unix socket; false if the system does not tell. */
bool system_socket_peer(int fd, pid_t *pid);

#endif
