/* process.h - asks the kernel about this process and others: start times, threads, descriptors,
 * signals. May not know: why it is asked. */
#ifndef SLSHIM_PROCESS_H
#define SLSHIM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Linux: returns the state, such as 'S', that a file /proc/PID/stat or that of a thread tells; '\0'
 * if it tells none. `text`: its beginning, including the name. */
char process_state(const char *text);

/* The boot clock in milliseconds: see clock_boot(). */
uint64_t process_clock(void);

/* Returns when a process was started, in a unit of the system's: on Linux in clock ticks after boot
 * (field 22 of /proc/PID/stat). 0 if there is no such process, if it is dead or a zombie, or if it
 * cannot be told. */
uint64_t process_start_time(pid_t pid);

/* Returns when this process was made, by the boot clock, in milliseconds; 0 if it cannot be told.
 */
uint64_t process_birth(void);

/* Has the program more rights than who started it? */
bool process_is_privileged(void);

/* Is the process with this pid alive, and has it this start time (0: any)? Of a process that /proc
 * hides (hidepid, another user's) only the former is known, and taken for both. */
bool process_is_alive(pid_t pid, uint64_t start_time);

/* ... and is its parent the caller's parent? */
bool process_is_sibling(pid_t pid, uint64_t start_time);

/* Is the calling thread the one that the process began with? */
bool process_is_main_thread(void);

/* May it make a file of so many bytes? Else the kernel would send it SIGXFSZ, also for one in
 * memory. */
bool process_may_make_file(uint64_t size);

/* Returns a number that all open descriptors are below. */
int process_descriptor_end(void);

/* Calls `visit` with each open descriptor, until `visit` returns false. Returns true if all were
 * visited, false also if it cannot be told which are open. */
bool process_each_descriptor(bool (*visit)(int fd, void *argument), void *argument);

/* Counts the open descriptors without /proc/self/fd; false if it cannot be told how many there may
 * be. */
bool process_count_descriptors(uint64_t *count);

/* Does one of the first 1,024 descriptors of another process refer to the same socket, pipe or file
 * as the caller's `fd`? False if the caller may not look. */
bool process_holds(pid_t pid, int fd);

/* Does this process have a handler for the signal? */
bool process_handles(int signal);

/* Has this process children that it has not waited for? Zombies count, because they hide whether
 * others live. */
bool process_has_children(void);

/* Returns the number of threads of this process; 0 if it cannot be told. */
unsigned process_threads(void);

#endif
