/* socket_address.c - finds, reads and compares socket addresses. */
#include "os/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "os/number.h"

const char socket_address_accepted[] =
    "one or more, with commas between, of a port (8080), an address and "
    "a port (127.0.0.1:8080, [::1]:8080), the path of a socket, and "
    "@NAME of an abstract one";

bool socket_address_find(int fd, struct socket_address *address)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage room;
	} bound;
	socklen_t size = sizeof bound;
	int saved = errno;

	memset(&bound, 0, sizeof bound);
	memset(address, 0, sizeof *address);
	if (getsockname(fd, &bound.any, &size) != 0) {
		errno = saved;
		return false;
	}
	address->family = bound.any.sa_family;
	switch (address->family) {
	case AF_INET:
		address->words[0] = bound.in.sin_addr.s_addr;
		address->port = ntohs(bound.in.sin_port);
		break;
	case AF_INET6:
		memcpy(address->words, &bound.in6.sin6_addr, sizeof address->words);
		address->port = ntohs(bound.in6.sin6_port);
		break;
	case AF_UNIX:
		memcpy(address->path, bound.un.sun_path, sizeof address->path);
		break;
	default:
		break;
	}
	return true;
}

static bool read_port(const char *text, uint16_t *port)
{
	uint64_t value = 0;
	const char *end = number_read(text, &value);

	*port = (uint16_t)value;
	return end != NULL && *end == '\0' && value > 0 && value <= UINT16_MAX;
}

static bool read_path(const char *text, struct socket_address *address)
{
	size_t length = strlen(text);

	address->family = AF_UNIX;
	if (length < 2 || length > sizeof address->path)
		return false;
	memcpy(address->path, text, length);
	if (text[0] == '@')
		address->path[0] = '\0';
	return true;
}

/* Reads "127.0.0.1" or "[::1]", the first `length` bytes of the text. */
static bool read_address(const char *text, size_t length, struct socket_address *address)
{
	char literal[INET6_ADDRSTRLEN];
	bool is_6 = length > 2 && text[0] == '[' && text[length - 1] == ']';

	if (is_6) {
		text++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof literal)
		return false;
	memcpy(literal, text, length);
	literal[length] = '\0';
	address->family = is_6 ? AF_INET6 : AF_INET;
	return inet_pton(address->family, literal, address->words) == 1;
}

bool socket_address_read(const char *text, struct socket_address *address)
{
	const char *colon = strrchr(text, ':');

	memset(address, 0, sizeof *address);
	if (text[0] == '/' || text[0] == '@')
		return read_path(text, address);
	if (colon == NULL)
		return read_port(text, &address->port);
	return read_port(colon + 1, &address->port) &&
	       read_address(text, (size_t)(colon - text), address);
}

static bool is_internet(const struct socket_address *address)
{
	return address->family == AF_INET || address->family == AF_INET6;
}

static bool has_same_path(const struct socket_address *one, const struct socket_address *other)
{
	return memcmp(one->path, other->path, sizeof one->path) == 0;
}

bool socket_address_is(const struct socket_address *found, const struct socket_address *written)
{
	if (written->family == AF_UNSPEC)
		return is_internet(found) && found->port == written->port;
	if (found->family != written->family)
		return false;
	if (found->family == AF_UNIX)
		return has_same_path(found, written);
	return found->port == written->port &&
	       memcmp(found->words, written->words, sizeof found->words) == 0;
}

bool socket_address_may_come_from(const struct socket_address *local,
                                  const struct socket_address *listener)
{
	if (local->family != listener->family)
		return false;
	if (is_internet(local))
		return local->port == listener->port;
	return local->family != AF_UNIX || has_same_path(local, listener);
}
