/* pipe_of_death.h - has a threaded child of httpd leave in the way in which its master would ask
 * it.
 *
 * The main thread of such a child only reads bytes from a pipe that all children share with the
 * master. After a '!' the child stops gracefully: it closes its listeners, finishes open
 * connections and exits. No signal has this effect. So the shared pipe is replaced, in this child
 * only, by a new one that contains this byte, and the main thread is woken by the signal that httpd
 * uses for that.
 *
 * The functions are async-signal-safe. May not know: why the child leaves. */
#ifndef SLSHIM_PIPE_OF_DEATH_H
#define SLSHIM_PIPE_OF_DEATH_H

#include <stdbool.h>

/* SIGTERM, which is blocked in all threads except the main one, and whose handler does nothing. */
extern const int pipe_of_death_signal;

/* Is there exactly one pipe in this process that may be the pipe of death? It is remembered,
 * because it stays open as long as the child lives. */
bool pipe_of_death_find(void);

/* Called after the pipe was found. In the thread that accepts it waits, for a second at most, until
 * the main thread has told this thread to stop. The caller has to refuse the accept then, because
 * the server may lose a connection that is accepted at that moment: event's threads may end before
 * they look at it. */
void pipe_of_death_ask(void);

#endif
