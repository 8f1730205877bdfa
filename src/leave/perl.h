/* perl.h - has perl end its program by its own exit, so that END blocks and destructors run;
 * exit(3) would run none of them. May not know: who leaves, or why. */
#ifndef SLSHIM_PERL_H
#define SLSHIM_PERL_H

#include <stdbool.h>

/* After program_set: is this perl, and has it what is needed? */
void perl_start(void);

/* Has perl exit with this status when it is done with the operation that it is in: where that ends,
 * and not within it, its data are sound. False if this is not perl; allocates. */
bool perl_exits_soon(int status);

#endif
