/* interpose.c - the table by which dyld, the loader of macOS, has other images call the hooks. In
 * this one the names go on meaning the C library's functions. */
#include <stddef.h>
#include <unistd.h>

#include "os/next.h"

/* Programs have some functions by other names: those that are no cancellation points, and those of
 * other editions of the standard. */
#define ALIAS(type, alias, symbol, parameters) type alias parameters __asm(symbol);
ALIAS(int, accept_uncancelled, "_accept$NOCANCEL", (int, struct sockaddr *, socklen_t *))
ALIAS(int, close_uncancelled, "_close$NOCANCEL", (int))
ALIAS(int, poll_uncancelled, "_poll$NOCANCEL", (struct pollfd *, nfds_t, int))
ALIAS(int, select_plain, "_select", (int, fd_set *, fd_set *, fd_set *, struct timeval *))
ALIAS(int, select_extended, "_select$DARWIN_EXTSN",
      (int, fd_set *, fd_set *, fd_set *, struct timeval *))
ALIAS(int, pselect_plain, "_pselect",
      (int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *))
ALIAS(int, pselect_extended, "_pselect$DARWIN_EXTSN",
      (int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *))

#define DECLARE(type, failure, name, symbol, parameters, arguments) type hooked_##name parameters;
#define PAIR(type, failure, name, symbol, parameters, arguments)                                   \
	{(const void *)hooked_##name, (const void *)name},
#define ALSO(name, alias)                                                                          \
	{                                                                                              \
		(const void *)hooked_##name, (const void *)alias                                           \
	}

NEXT_FUNCTIONS(DECLARE)
int hooked_close(int);
sem_t *hooked_sem_open(const char *, int, ...);

__attribute__((used, section("__DATA,__interpose"))) static const struct {
	const void *hook, *hooked;
} pairs[] = {{(const void *)hooked_close, (const void *)close},
             {(const void *)hooked_sem_open, (const void *)sem_open},
             ALSO(accept, accept_uncancelled),
             ALSO(close, close_uncancelled),
             ALSO(poll, poll_uncancelled),
             ALSO(select, select_plain),
             ALSO(select, select_extended),
             ALSO(pselect, pselect_plain),
             ALSO(pselect, pselect_extended),
             NEXT_FUNCTIONS(PAIR)};
