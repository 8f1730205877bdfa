/* proc.h - what the kernel tells of a process besides its memory. Text from there may be anything.
 * May not know: why it is asked. */
#ifndef SLSHIM_PROC_H
#define SLSHIM_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Its parent; 0 if there is no such process. */
pid_t proc_parent(pid_t pid);

/* Its name of at most 15 bytes, as the kernel has it, or its image's; "" if there is no such
 * process.
 */
void proc_name(pid_t pid, char *name, size_t size);

/* The path of its image, as much as there is room for; false, and "", if one may not look. */
bool proc_image(pid_t pid, char *image, size_t size);

/* Replaces a name that a program made of a path, which is cut off, by that of its image. */
void proc_name_by_image(pid_t pid, char *name, size_t size);

/* Its unit of systemd's, or else the last part of its cgroup's path; "" if it has none. */
void proc_unit(pid_t pid, char *unit, size_t size);

/* Does its environment, as it was at execve, preload the library? False if one may not look. */
bool proc_asks_for_library(pid_t pid);

/* Is a setting of the library's wrong in its environment, as that was at execve? False if one may
 * not look. */
bool proc_has_wrong_settings(pid_t pid);

#endif
