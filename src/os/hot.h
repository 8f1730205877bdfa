/* hot.h - marks what every connection comes through. The linker keeps it together: a worker that
 * the processor has just turned to has to find each page of it anew, and that costs more than the
 * instructions. */
#ifndef SLSHIM_HOT_H
#define SLSHIM_HOT_H

#define HOT __attribute__((hot))

#endif
