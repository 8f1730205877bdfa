/* interpose.c - the form that hooks take on macOS: pairs of functions in a section that dyld reads,
 * which puts the first one of each in the place of the second in all other images. */
#include <sys/socket.h>
#include <unistd.h>

static int hooked_accept(int fd, struct sockaddr *address, socklen_t *length)
{
	return accept(fd, address, length);
}

static int hooked_close(int fd)
{
	return close(fd);
}

__attribute__((used, section("__DATA,__interpose"))) static const struct {
	void *ours, *replaced;
} pairs[] = {{(void *)hooked_accept, (void *)accept}, {(void *)hooked_close, (void *)close}};
