/* check_report.c - the manual lists every reason to stay. */
#include "core/report.h"

#include <string.h>

#include "check_main.h"
#include "tree.h"

START_TEST(manual_has_every_reason)
{
	enum { REASONS = 28 };
	const char *manual = tree_read(TREE_MANUAL);
	unsigned found = 0;

	for (unsigned remark = 0; remark < 64; remark++) {
		char item[256] = ".It \"";

		if (report_reason(remark) == NULL)
			continue;
		strcat(strcat(item, report_reason(remark)), "\"\n");
		ck_assert_msg(strstr(manual, item) != NULL, "not in the manual: %s", item);
		found++;
	}
	ck_assert_uint_eq(found, REASONS);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, manual_has_every_reason);
}
