/* hot.h - marks the functions that run for every connection. The linker places them next to each
 * other, because a worker that has just been scheduled finds each page of code out of the caches,
 * and loading it takes longer than its instructions. */
#ifndef SLSHIM_HOT_H
#define SLSHIM_HOT_H

#define HOT __attribute__((hot))

/* What they call hardly ever is kept out of them. */
#define RARE __attribute__((cold, noinline))

/* What the constructor writes is close together, in a page that every start writes to: each other
 * one would be a fault. */
#ifdef __APPLE__
#define EARLY
#else
#define EARLY __attribute__((section(".data")))
#endif

#endif
