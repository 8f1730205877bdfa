/* page_policy.h - how the kernel shall treat the pages of this process and of those that it makes.
 * May not know: why.
 *
 * The functions are async-signal-safe and keep errno. They return 0, or the errno with which the
 * kernel refused; ENOSYS where a system has no such thing. */
#ifndef SLSHIM_PAGE_POLICY_H
#define SLSHIM_PAGE_POLICY_H

/* No transparent huge pages, each of which would be unshared by one write. */
int page_policy_no_huge(void);

/* Equal pages become one. */
int page_policy_merge(void);

#endif
