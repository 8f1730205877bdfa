/* machine.h - how much memory the machine or the cgroup allows this process, and the memory
 * pressure (PSI) on it. Elsewhere than on Linux only the machine's memory is known.
 * Async-signal-safe.
 *
 * May not know: whether a process uses too much. */
#ifndef SLSHIM_MACHINE_H
#define SLSHIM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MACHINE_PATH_SIZE = 512 };

struct machine_memory {
	uint64_t bytes;
	char source[MACHINE_PATH_SIZE]; /* the file that the figure is from */
};

/* Finds the smallest of the limits of this process's cgroup and of those above it (memory.max or
 * memory.limit_in_bytes) and of the host's memory (MemTotal, or what sysconf() tells where that is
 * out of sight). Returns false if none is known. `root` is put before every path; it is "" except
 * in tests. */
bool machine_memory(const char *root, struct machine_memory *memory);

/* Calls `visit` with each of these limits, of another process if `pid` is not 0. */
void machine_each_memory(const char *root, pid_t pid,
                         void (*visit)(const struct machine_memory *memory, void *argument),
                         void *argument);

/* Finds the file that tells the memory pressure (Linux 4.20 and later): that of this process's
 * cgroup, or else that of the host. Returns false if there is none. */
bool machine_pressure_path(const char *root, char path[MACHINE_PATH_SIZE]);

/* Reads "some avg10" of such a file, which is open: the share of the last 10 s in which some thread
 * waited for memory, in hundredths of a percent. Returns false if it cannot be read. */
bool machine_pressure(int fd, uint64_t *hundredths);

#endif
