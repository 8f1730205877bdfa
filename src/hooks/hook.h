/* hook.h - marks what the library exports; everything else in it is hidden. */
#ifndef SLSHIM_HOOK_H
#define SLSHIM_HOOK_H

#define HOOK __attribute__((visibility("default")))

#endif
