/* image.h - what the program's own image exports. May not know: which programs there are. */
#ifndef SLSHIM_IMAGE_H
#define SLSHIM_IMAGE_H

#include <stdbool.h>

/* Writes the address of a function or variable that the image exports, or NULL, to the pointer at
 * `address`. What libraries export is not found. Async-signal-safe. */
bool image_look_up(const char *name, void *address);

#endif
