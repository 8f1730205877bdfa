/* machine.h - what the machine gives to this process: how much memory it may use, and how hard it
 * is to come by. Linux; async-signal-safe.
 *
 * May not know: whether anybody uses too much. */
#ifndef SLSHIM_MACHINE_H
#define SLSHIM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MACHINE_PATH_SIZE = 512 };

struct machine_memory {
	uint64_t bytes;
	char source[MACHINE_PATH_SIZE]; /* the file that has the figure */
};

/* The smallest of what limits the cgroup of this process and those above it (memory.max, or
 * memory.limit_in_bytes), and of what the host has (MemTotal). False if none of it is known.
 * `root`: before every path, "" but for tests. */
bool machine_memory(const char *root, struct machine_memory *memory);

/* The file that tells the pressure (Linux 4.20 and later): that of the cgroup of this process, else
 * that of the host; false if there is none. */
bool machine_pressure_path(const char *root, char path[MACHINE_PATH_SIZE]);

/* Hundredths of a percent of the last 10 s for which some thread waited for memory: "some avg10" of
 * such a file, which is open. */
bool machine_pressure(int fd, uint64_t *hundredths);

#endif
