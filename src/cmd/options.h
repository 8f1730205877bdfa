/* options.h - every SL_ variable as a long option: SL_MAX_UNSHARED=50M is --max-unshared=50M. May
 * not know: what is done with them, but that the environment has them. */
#ifndef SLSHIM_OPTIONS_H
#define SLSHIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum options_answer { OPTIONS_END, OPTIONS_SET, OPTIONS_FORCE, OPTIONS_HELP, OPTIONS_REFUSED };

/* Reads the next option, with getopt_long(), and sets its variable. One that is refused has been
 * complained about. */
enum options_answer options_next(int argc, char **argv);

/* Returns the option of each variable, without the dashes; NULL after the last. */
const char *options_name(size_t index);

/* Does the library accept this value, if it is the only variable? */
bool options_accept(const char *variable, const char *value);

/* Writes every option, and what it accepts, to standard output. */
void options_explain(void);

#endif
