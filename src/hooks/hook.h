/* hook.h - marks what the library exports; everything else in it is hidden. */
#ifndef SLSHIM_HOOK_H
#define SLSHIM_HOOK_H

#define HOOK __attribute__((visibility("default")))

/* The name of a hook: that of what it is called instead of, except on macOS, where a table of pairs
 * says so: see interpose.c. */
#ifdef __APPLE__
#define HOOKED(name) hooked_##name
#else
#define HOOKED(name) name
#endif

#endif
