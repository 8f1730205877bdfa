/* top_made_up.c - slshim top of pools that are made up, for the tests of its screen: the numbers of
 * their workers are in MADE_UP_WORKERS, "64 8 1100". */
#include <stdlib.h>

#include "cmd/cmd.h"
#include "top_views.h"

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

/* There are no such processes. */
void views_measure(struct views *views, uint64_t budget)
{
	(void)views;
	(void)budget;
}

int main(int argc, char **argv)
{
	return cmd_top(argc, argv);
}
