/* process_memory.h - the memory of one running process, with the library or without, as /proc
 * tells. May not know: pools, or how it is shown. */
#ifndef SLSHIM_PROCESS_MEMORY_H
#define SLSHIM_PROCESS_MEMORY_H

#include <stdbool.h>
#include <sys/types.h>

#include "quantity.h"

struct process_memory {
	pid_t pid, parent;
	char name[64];       /* any characters */
	char state;          /* 'S', 'R', 'Z', ... */
	uint64_t start_time; /* in clock ticks after boot */
	uint64_t busy;       /* clock ticks of processor time */
	struct sample sample;
	const char *source;     /* of what is shared, unshared and proportional; NULL: none */
	uint64_t swapped_share; /* bytes swapped out, each divided by the number of processes that have
	                           it; UINT64_MAX: unknown */
	struct line sources;    /* the files that were read, with blanks between */
	struct line unreadable; /* those that may not be, and why; or why there is nothing to read */
};

/* The name, the parent and the times alone. False if there is no such process. */
bool process_memory_identify(pid_t pid, struct process_memory *process);

/* All of it. Of a process without memory, such as a zombie, all figures are unknown. */
bool process_memory_read(pid_t pid, struct process_memory *process);

/* Calls `visit` with each child of a process, which is identified only. */
void process_memory_each_child(pid_t parent,
                               void (*visit)(const struct process_memory *child, void *argument),
                               void *argument);

#endif
