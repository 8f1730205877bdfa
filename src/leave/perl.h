/* perl.h - what perl has loaded; and has it end its program by perl's own exit, because exit(3)
 * runs neither END blocks nor destructors. May not know: which worker leaves, or why. */
#ifndef SLSHIM_PERL_H
#define SLSHIM_PERL_H

#include <stdbool.h>

/* Called after program_set(). Finds out whether this is perl and exports what is needed. */
void perl_start(void);

/* Is this perl, and does one of its interpreters belong to the calling thread? */
bool perl_may_be_asked(void);

/* Is there a file of this name in %INC? Called if perl may be asked, between two operations of
 * perl's or in one, such as fork. */
bool perl_has_loaded(const char *file);

/* Has perl exit with this status at the end of its current operation, because only between
 * operations are its data consistent. Returns false if this is not perl. Allocates. */
bool perl_exits_soon(int status);

#endif
