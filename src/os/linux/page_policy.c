/* page_policy.c - see page_policy.h. */
#include "os/page_policy.h"

#include <errno.h>
#include <sys/prctl.h>

enum { SET_THP_DISABLE = 41, SET_MEMORY_MERGE = 67 }; /* older headers lack the latter */

static int set(int option)
{
	int saved = errno, error = prctl(option, 1, 0, 0, 0) != 0 ? errno : 0;

	errno = saved;
	return error;
}

int page_policy_no_huge(void)
{
	return set(SET_THP_DISABLE);
}

int page_policy_merge(void)
{
	return set(SET_MEMORY_MERGE);
}
