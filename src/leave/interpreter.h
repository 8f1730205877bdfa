/* interpreter.h - what a program of python's or ruby's has loaded, which tells what it is however
 * it was started and configured. May not know: which servers there are. */
#ifndef SLSHIM_INTERPRETER_H
#define SLSHIM_INTERPRETER_H

#include <stdbool.h>

/* Has this program an interpreter, and does the calling thread hold its lock, as one does that
 * calls fork() in a script? Only then may it be asked. Looks up what the interpreter exports, which
 * may allocate. */
bool interpreter_may_be_asked(void);

/* Is there a python module of this name in sys.modules, or a ruby constant ("Puma::Cluster")?
 * Nothing is loaded for that. */
bool interpreter_has_loaded(const char *name);

#endif
