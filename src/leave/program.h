/* program.h - which program this is: a server that an interpreter runs is known by its script.
 *
 * The constructor keeps the command line, since servers overwrite theirs later. Read-only after the
 * start, so no lock. May not know: which programs anybody asks about. */
#ifndef SLSHIM_PROGRAM_H
#define SLSHIM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

enum { PROGRAM_ROOM = 4096 };

/* In the constructor: copies the command line, a NUL after each word, and returns how long it is;
 * `size` if it does not fit: then it is cut, or as the kernel cuts it. Without
 * `words`, what /proc/self/cmdline has. */
size_t program_keep(char *room, size_t size, char *const words[]);

/* The name of the image, by the command line. */
const char *program_image(const char *command_line);

/* "apache2", or "starman" where perl runs /usr/bin/starman; at most 63 bytes. */
const char *program_name(void);

/* Is it known by this name, which may be a pattern as of fnmatch(3)? A program that an interpreter
 * runs is known by its own name and by the interpreter's. */
bool program_is(const char *pattern);

/* Does the path that it was started by, or whatever stands there, fit this pattern? */
bool program_was_started_as(const char *pattern);

/* Has it an argument that fits this pattern? */
bool program_has_argument(const char *pattern);

/* Finds what the program or one of its libraries exports, and writes its address, or NULL, to the
 * pointer at `symbol`. One that is not there makes the loader allocate. */
bool program_look_up(const char *name, void *symbol);

/* Before any of the others: the name of the image, and the command line that was kept. */
void program_set(const char *short_name, const char *command_line, size_t size);

#endif
