/* complain.c - see cmd.h. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "os/line.h"
#include "os/number.h"

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

bool cmd_read_pid(const char *word, pid_t *pid)
{
	uint64_t number;
	const char *end = number_read(word, &number);
	bool is_pid = end != NULL && *end == '\0' && number > 0 && number <= INT32_MAX;

	if (!is_pid)
		cmd_complain("\"%s\" is no pid; accepted: a number", word);
	*pid = is_pid ? (pid_t)number : 0;
	return is_pid;
}
