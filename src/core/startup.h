/* startup.h - the constructor, what happens when a program turns out to be a server, and its forks.
 *
 * May not know: what becomes of a worker. */
#ifndef SLSHIM_STARTUP_H
#define SLSHIM_STARTUP_H

#include <stdbool.h>

/* In the constructor. `words`: the command line; NULL where the C library does not tell. */
void startup_begin(char *const environment[], char *const words[]);

/* While server_is_asleep: the program turns out to be a server, or asks to be watched. Reads what
 * was set; true if that is to be watched. Not for signal handlers. */
bool startup_wake(void);

#endif
