/* settings_kinds.h - the readers of each kind of file, and what they have in common. */
#ifndef SLSHIM_SETTINGS_KINDS_H
#define SLSHIM_SETTINGS_KINDS_H

#include "cmd/settings.h"

/* A text that is being read. */
struct reading {
	struct settings *settings;
	const char *path;
	const char *at;
	unsigned line; /* number of the line at `at` */
};

void unit_read(struct reading *reading);
void environment_file_read(struct reading *reading);
void script_read(struct reading *reading);

/* Notes what is wrong in this line, or what else there is to say of it. */
void reading_refuse(const struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void reading_note(const struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Does a text that is no assignment have something of one of our variables in it? */
bool reading_may_mean_us(const char *text);

/* Sets a variable, given as NAME=value, or takes it back. */
void settings_set(struct list *variables, const char *assignment);
void settings_unset(struct list *variables, const char *name);

/* Is it a variable of the library's or of the loader's, by its name or an assignment to it? */
bool settings_is_ours(const char *name);

/* Returns the length of the name that a text begins with, which may be followed by anything; 0 if
 * it begins with none. */
size_t settings_name_length(const char *text);

#endif
