/* settings.h - the variables that files set, and the command that they start: units of systemd's
 * and their drop-ins, EnvironmentFiles, and scripts of assignments such as Debian's envvars of
 * apache2. Nothing of a file is run. May not know: which values a variable accepts. */
#ifndef SLSHIM_SETTINGS_H
#define SLSHIM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/list.h"

/* Begins as {.program = NULL}. */
struct settings {
	struct list variables;   /* NAME=value, each name once */
	char *program;           /* the file of ExecStart=; NULL: none */
	struct list command;     /* its words; the first may be another name than the file's */
	bool keeps_dollars;      /* the words of the command are not expanded */
	struct list wrong;       /* what is wrong in the files: "PATH:LINE: ..." */
	struct list notes;       /* what cannot be known from them */
	struct list files;       /* EnvironmentFile=, as written */
	struct list unset;       /* UnsetEnvironment= */
	struct list confinement; /* NAME=value of what a unit may do, in the order of its lines */
};

/* Adds what a file sets; false with errno if it cannot be read. */
bool settings_read(struct settings *settings, const char *path);

/* The same from its text, which may have changed afterwards. */
void settings_read_text(struct settings *settings, const char *path, char *text, size_t size);

/* Called once, after the last file: reads the EnvironmentFiles of the units, which override what
 * the units themselves set, unsets variables, and expands those in the command. */
void settings_end(struct settings *settings);

void settings_free(struct settings *settings);

/* Returns the value of a variable; NULL if it is not set. */
const char *settings_value(const struct settings *settings, const char *name);

#endif
