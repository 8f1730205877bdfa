/* pipe_of_death.h - has a threaded child of httpd leave as its master would.
 *
 * The main thread of such a child does nothing but read bytes from a pipe that all children share
 * with the master. '!' makes the child stop gracefully: it closes its listeners, finishes what is
 * open and exits. No signal does that. So this child alone is given a pipe of its own, with that
 * byte in it, in place of the shared one, and the signal that its threads wake the main one with.
 *
 * Async-signal-safe. May not know: why the child is to leave. */
#ifndef SLSHIM_PIPE_OF_DEATH_H
#define SLSHIM_PIPE_OF_DEATH_H

#include <stdbool.h>

/* SIGTERM; its handler does nothing. It is blocked in all threads but the main one. */
extern const int pipe_of_death_signal;

/* Is there exactly one pipe in this process that may be it? Then it is the one, now and later: it
 * is open for as long as the child lives. */
bool pipe_of_death_find(void);

/* After it was found. In the thread that accepts it waits until that one was told, but a second at
 * most: a connection that it accepted at that very moment could be lost by the server (event's
 * threads may end before they look at what it has for them). So its accept has to be refused. */
void pipe_of_death_ask(void);

#endif
