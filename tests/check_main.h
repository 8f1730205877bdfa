/* check_main.h - the frame of every unit test: defines main() for the tests that `tests` lists. */
#ifndef SLSHIM_CHECK_MAIN_H
#define SLSHIM_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

/* What a test does often it does less often then, because it takes ten times as long. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

/* What AddressSanitizer may add to a process that writes to so many bytes: it looks up one of its
 * own for eight of them, and a kernel without a page of zeros gives memory to who only reads. Its
 * allocator touches some more whenever it is called. */
#if defined __SANITIZE_ADDRESS__
#define SHADOW_OF(bytes) ((bytes) / 8 + (1 << 20))
#else
#define SHADOW_OF(bytes) 0
#endif

static void add_tests(TCase *tests);

/* A test of every entry of a table, which is number _i. */
#define add_for_each(tests, test, table)                                                           \
	tcase_add_loop_test(tests, test, 0, (int)(sizeof(table) / sizeof *(table)))

/* A test of every row of a table that a function gives by number, NULL after the last one. */
#define add_for_each_row(tests, test, row)                                                         \
	do {                                                                                           \
		int rows = 0;                                                                              \
                                                                                                   \
		while ((row)((size_t)rows) != NULL)                                                        \
			rows++;                                                                                \
		tcase_add_loop_test(tests, test, 0, rows);                                                 \
	} while (0)

int main(void)
{
	enum { A_HANG = 60 }; /* seconds, on a machine that has other things to do */
	Suite *suite = suite_create("slshim");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, A_HANG);
	add_tests(tests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
