/* settings.h - the variables that a file sets: an EnvironmentFile, a unit of systemd's, or a script
 * of assignments such as Debian's envvars of apache2. May not know: which variables matter. */
#ifndef SLSHIM_SETTINGS_H
#define SLSHIM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

struct settings {
	char **variables; /* NAME=value, and NULL after the last */
	size_t count;
	char **command; /* of ExecStart, and NULL after the last word; NULL: none */
};

/* Adds what the file sets; false if it cannot be read, or a line is malformed: complained about. */
bool settings_read(const char *path, struct settings *settings);

/* Returns the last value of a variable; NULL if it is not set. */
const char *settings_value(const struct settings *settings, const char *name);

#endif
