/* target.h - will the loader preload the library into this program? Told from its file. May not
 * know: how the program is started. */
#ifndef SLSHIM_TARGET_H
#define SLSHIM_TARGET_H

#include <limits.h>
#include <stdbool.h>

/* Finds a command as execvp() does. Returns its path, in `room` if PATH was searched; NULL with
 * errno ENOENT, or EACCES if there is a file of that name that may not be executed. */
const char *target_find(const char *command, char room[PATH_MAX]);

/* Returns why the library cannot work in the program in this file, or in the interpreter that it
 * names after "#!"; NULL if nothing is known against it. */
const char *target_obstacle(const char *path);

#endif
