/* page_policy.c - see page_policy.h. */
#include "os/page_policy.h"

#include <errno.h>

int page_policy_no_huge(void)
{
	return ENOSYS;
}

int page_policy_merge(void)
{
	return ENOSYS;
}
