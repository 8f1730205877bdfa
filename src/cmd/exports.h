/* exports.h - what the image in a file exports, and which texts it has. The file may be anything.
 * May not know: which programs there are. */
#ifndef SLSHIM_EXPORTS_H
#define SLSHIM_EXPORTS_H

#include <stdbool.h>
#include <stddef.h>

struct exports {
	const unsigned char *image; /* NULL: it cannot be read */
	size_t size;
};

void exports_open(struct exports *exports, const char *path);
void exports_close(struct exports *exports);

/* Does it export a function or variable of this name? False if it is no image for this machine. */
bool exports_symbol(const struct exports *exports, const char *name);

/* Is this text somewhere in it, with a NUL before and after it? */
bool exports_text(const struct exports *exports, const char *text);

#endif
