/* binding.h - has the loader bind what workers call of the C library, once, in their master.
 *
 * A function is bound by its first call, which takes some 4 KB of stack and the loader's time. In a
 * worker that call may come from a signal handler on a small stack, and there are as many of them
 * as workers. A program that is not a server does not pay for it. May not know: what the functions
 * are called for. Keeps errno. */
#ifndef SLSHIM_BINDING_H
#define SLSHIM_BINDING_H

void binding_complete(void);

#endif
