/* check_log.c - placeholder */
#include "log.h"
#include "check_main.h"
static void add_tests(TCase *tests)
{
	(void)tests;
}
