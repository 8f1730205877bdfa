/* interpreter.h - what a program of python's, ruby's or perl's has loaded, which tells what it is
 * however it was started and configured. May not know: which servers there are. */
#ifndef SLSHIM_INTERPRETER_H
#define SLSHIM_INTERPRETER_H

#include <stdbool.h>

enum language { PYTHON, RUBY, PERL };

/* Does this program have such an interpreter, and does the calling thread hold its lock, as one
 * does that calls fork() in a script? Only then may it be asked. Looks up what the interpreter
 * exports, which may allocate. */
bool interpreter_may_be_asked(enum language language);

/* Is there a python module of this name in sys.modules, a ruby constant ("Puma::Cluster"), or a
 * perl file in %INC ("Starman/Server.pm")? Nothing is loaded for that. */
bool interpreter_has_loaded(enum language language, const char *name);

#endif
