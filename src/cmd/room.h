/* room.h - how much memory a process, those in its cgroup and those on its host may have, and how
 * much of it is taken. May not know: which of them belong to a pool. */
#ifndef SLSHIM_ROOM_H
#define SLSHIM_ROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/machine.h"

struct room {
	struct machine_memory limit;
	uint64_t taken; /* bytes that the kernel cannot reclaim */
};

/* Of the limits of its cgroup, of those above it and of the host, the one that leaves least free
 * when only this share of each may be taken. False if none is known, or of none what is taken.
 * `root` is put before every path; it is "" except in tests. */
bool room_find(const char *root, pid_t pid, double share, struct room *room);

#endif
