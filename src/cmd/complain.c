/* complain.c - see cmd.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "os/line.h"

void cmd_complain(const char *format, ...)
{
	struct line line;
	va_list arguments;

	line_start(&line);
	va_start(arguments, format);
	vsnprintf(line.text, sizeof line.text, format, arguments);
	va_end(arguments);
	line.used = strlen(line.text);
	line_make_printable(&line);
	fprintf(stderr, "slshim: %s\n", line.text);
}
