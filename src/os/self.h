/* self.h - what the kernel tells of this process in files of /proc/self.
 *
 * They are kept open for a process that is about to confine itself to a directory in which there is
 * no /proc. Files only, because a chroot could be left through a directory. May not know: why it is
 * asked.
 *
 * The functions are async-signal-safe and keep errno. One thread calls at a time. */
#ifndef SLSHIM_SELF_H
#define SLSHIM_SELF_H

#include <stdbool.h>
#include <stdint.h>

/* Before a chroot: opens the files, so that the functions below can go on reading them. */
void self_keep(void);

/* In a child: what is open is about its parent. */
void self_forget(void);

/* Reads a number of /proc/self/status. `key` is all that comes before it: "Threads:\t". */
bool self_read_status(const char *key, uint64_t *number);

/* Calls `visit` with each line of /proc/self/timers until it returns false. True if all were
 * visited, or if the kernel has no such file. */
bool self_each_line_on_timers(bool (*visit)(const char *line, void *argument), void *argument);

#endif
