/* program.h - which program this is. A server that an interpreter runs is known by its script.
 *
 * The constructor copies the command line, because servers overwrite theirs later. All of it is
 * read-only after the start, so there is no lock. May not know: which programs the callers look
 * for. */
#ifndef SLSHIM_PROGRAM_H
#define SLSHIM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

enum { PROGRAM_ROOM = 4096 };

/* Copies the command line, in the constructor, with a NUL after each word, and returns its length;
 * `size` if it was cut because it does not fit. If `words` is NULL the text is that of
 * /proc/self/cmdline, and `size` is returned. */
size_t program_copy(char *room, size_t size, char *const words[]);

/* Returns the name of the image, from the command line. */
const char *program_image(const char *command_line);

/* "apache2", or "starman" where perl runs /usr/bin/starman; at most 63 bytes. */
const char *program_name(void);

/* Does the name match this pattern, as in fnmatch(3)? A program that an interpreter runs has two
 * names, its own and the interpreter's. */
bool program_is(const char *pattern);

/* Does the first word of the command line, which mostly is a path, match this pattern? */
bool program_was_started_as(const char *pattern);

/* Does an argument match this pattern? */
bool program_has_argument(const char *pattern);

/* Writes the address of a symbol that the program or one of its libraries exports, or NULL, to the
 * pointer at `symbol`. The loader allocates if the symbol is missing. */
bool program_look_up(const char *name, void *symbol);

/* Sets the name of the image and the command line that was copied. Called before the functions
 * above, except program_copy() and program_image(). */
void program_set(const char *short_name, const char *command_line, size_t size);

#endif
