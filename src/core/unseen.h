/* unseen.h - notices that the connections of workers come in a way that no hook sees, and says so
 * once in a server's life.
 *
 * A worker closes connections of its listener's, and none of those who share the page has come to
 * an accept: so nobody can have passed it on. Only the first closes of a worker are looked at, and
 * only as long as nobody has come, so a connection that is counted costs nothing more. May not
 * know: what becomes of a worker that is seen. */
#ifndef SLSHIM_UNSEEN_H
#define SLSHIM_UNSEEN_H

#include <stdbool.h>

/* In a process that was forked. `may_serve`: its parent has a listener and has not accepted. */
void unseen_begin(bool may_serve);

/* This process has come to an accept, or one whose birth was not seen. */
void unseen_note_accept(void);

#endif
