/* exemption.h - what spares a worker that is over a limit: memory that it can give back, and a
 * limit that no worker of this server could keep.
 *
 * The state belongs to one process; whoever calls sees to it that one thread does at a time. May
 * not know: when it is asked, or how a worker leaves. */
#ifndef SLSHIM_EXEMPTION_H
#define SLSHIM_EXEMPTION_H

#include <stdbool.h>

/* Before it has served anything: who is over a limit already would be replaced by one as large.
 * What it is over does not count for it. */
void exemption_at_birth(void);

/* Over a limit, at a moment at which it may allocate: gives memory back, and measures again. True
 * if that was enough, or if it is not such a moment, but SL_TRIM is to be tried at one. */
bool exemption_by_trim(bool may_allocate);

/* Have those that left in a row before it been over a limit as early as this one is? Then that does
 * not count for it. */
bool exemption_of_early(void);

/* It leaves. */
void exemption_note_leaving(void);

#endif
