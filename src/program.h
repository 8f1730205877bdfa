/* program.h - which program this is: a server that an interpreter runs is known by its script.
 *
 * Found out in the constructor, since servers overwrite their command line later; read-only after,
 * so no lock. May not know: which programs anybody asks about. */
#ifndef SLSHIM_PROGRAM_H
#define SLSHIM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/* In the constructor: reads /proc/self/cmdline. */
void program_start(void);

/* "apache2", or "starman" where perl runs /usr/bin/starman; at most 63 bytes. */
const char *program_name(void);

/* Is it known by this name, which may be a pattern as of fnmatch(3)? A program that an interpreter
 * runs is known by its own name and by the interpreter's. */
bool program_is(const char *pattern);

/* Does the path that it was started by, or whatever stands there, fit this pattern? Only from the
 * constructor. */
bool program_was_started_as(const char *pattern);

/* Has it an argument that fits this pattern? Only from the constructor. */
bool program_has_argument(const char *pattern);

/* Finds what the program or one of its libraries exports, and writes its address, or NULL, to the
 * pointer at `symbol`. One that is not there makes the loader allocate. */
bool program_look_up(const char *name, void *symbol);

/* What program_start does with the name of the image and the contents of /proc/self/cmdline. */
void program_set(const char *short_name, const char *command_line, size_t size);

#endif
