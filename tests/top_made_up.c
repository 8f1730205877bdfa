/* top_made_up.c - slshim top of pools that are made up, for the tests of its screen: the numbers of
 * their workers are in MADE_UP_WORKERS, "64 8 1100". */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "made_up_views.h"

void cmd_complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	putc('\n', stderr);
}

bool views_find(struct views *views, pid_t only)
{
	static unsigned look;
	const char *workers = getenv("MADE_UP_WORKERS");
	char *end = NULL;

	*views = (struct views){.count = 0};
	for (const char *at = workers != NULL ? workers : ""; *at != '\0'; at = end) {
		unsigned long count = strtoul(at, &end, 10);

		if (end == at)
			break;
		made_up_add(views, (unsigned)count, look);
	}
	(void)only;
	look++;
	return true;
}

json_t *view_json(const struct pool_view *pool)
{
	return json_pack("{s:s, s:i}", "program", pool->program, "count", (int)pool->count);
}

int main(int argc, char **argv)
{
	return cmd_top(argc, argv);
}
