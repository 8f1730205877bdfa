/* startup.h - the constructor, what happens when a program turns out to be a server, and its forks.
 *
 * May not know: what becomes of a worker. */
#ifndef SLSHIM_STARTUP_H
#define SLSHIM_STARTUP_H

#include <stdatomic.h>
#include <stdbool.h>

/* In the constructor. `words`: the command line; NULL where the C library does not tell. */
void startup_begin(char *const environment[], char *const words[]);

/* While server_is_asleep: the program turns out to be a server, or asks to be watched. Reads what
 * was set; true if that is to be watched. Not for signal handlers. */
bool startup_wake(void);

/* While startup_minds_accepts, before an accept of a process whose server is not on: it is asleep,
 * or was left out, of which the first accept on this listener may tell. True if it is on now. */
extern _Atomic bool startup_minds_accepts;
bool startup_before_accept(int listener);

#endif
