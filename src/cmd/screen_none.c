/* screen_none.c - screen.h where there was no ncursesw when this was built: it does not open. */
#include "cmd/screen.h"

#include "cmd/cmd.h"

bool screen_open(void)
{
	cmd_complain("this slshim was built without ncursesw; accepted: --once or --json");
	return false;
}

void screen_close(void)
{
}

void screen_size(unsigned *columns, unsigned *rows)
{
	*columns = 80;
	*rows = 24;
}

void screen_draw(const struct top_text *lines)
{
	(void)lines;
}

struct screen_input screen_read(void)
{
	return (struct screen_input){.kind = INPUT_NONE};
}
