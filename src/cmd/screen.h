/* screen.h - the terminal of a live view: lines are drawn on it, and keys come from it. It is left
 * as it was on every way out, that by a signal included. May not know: what the lines are about. */
#ifndef SLSHIM_SCREEN_H
#define SLSHIM_SCREEN_H

#include <stdbool.h>
#include <wchar.h>

#include "cmd/top_layout.h"
#include "cmd/top_text.h"

/* Complains if that fails. */
bool screen_open(void);
void screen_close(void);

/* As it is now, which may be other than at the last call. */
void screen_size(unsigned *columns, unsigned *rows);

void screen_draw(const struct top_text *lines);

/* What was pressed since; it does not wait. */
struct screen_input {
	enum { INPUT_NONE, INPUT_QUIT, INPUT_KEY, INPUT_LETTER, INPUT_OTHER } kind;
	enum top_key key;
	wchar_t letter;
};
struct screen_input screen_read(void);

#endif
