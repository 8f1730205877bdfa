/* deep_accept.c - a library that a program opens with RTLD_DEEPBIND: what it calls is the C
 * library's own, whatever is preloaded. */
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/socket.h>

int deep_accept(int listener);

int deep_accept(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}
