/* socket_address.c - reads and compares places. See socket_address.h for what it may not know. */
#include "os/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "os/number.h"

const char place_accepted[] = "one or more, with commas between, of a port (8080), an address and "
                              "a port (127.0.0.1:8080, [::1]:8080), the path of a socket, and "
                              "@NAME of an abstract one";

bool place_find(int fd, struct place *place)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage room;
	} address;
	socklen_t size = sizeof address;
	int saved = errno;

	memset(&address, 0, sizeof address);
	memset(place, 0, sizeof *place);
	if (getsockname(fd, &address.any, &size) != 0) {
		errno = saved;
		return false;
	}
	place->family = address.any.sa_family;
	switch (place->family) {
	case AF_INET:
		place->words[0] = address.in.sin_addr.s_addr;
		place->port = ntohs(address.in.sin_port);
		break;
	case AF_INET6:
		memcpy(place->words, &address.in6.sin6_addr, sizeof place->words);
		place->port = ntohs(address.in6.sin6_port);
		break;
	case AF_UNIX:
		memcpy(place->path, address.un.sun_path, sizeof place->path);
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

static bool read_path(const char *text, struct place *place)
{
	size_t length = strlen(text);

	place->family = AF_UNIX;
	if (length < 2 || length > sizeof place->path)
		return false;
	memcpy(place->path, text, length);
	if (text[0] == '@')
		place->path[0] = '\0';
	return true;
}

/* "127.0.0.1", or "[::1]", of `length` bytes. */
static bool read_address(const char *text, size_t length, struct place *place)
{
	char address[INET6_ADDRSTRLEN];
	bool is_6 = length > 2 && text[0] == '[' && text[length - 1] == ']';

	if (is_6) {
		text++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof address)
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	place->family = is_6 ? AF_INET6 : AF_INET;
	return inet_pton(place->family, address, place->words) == 1;
}

bool place_read(const char *text, struct place *place)
{
	const char *colon = strrchr(text, ':');

	memset(place, 0, sizeof *place);
	if (text[0] == '/' || text[0] == '@')
		return read_path(text, place);
	if (colon == NULL)
		return read_port(text, &place->port);
	return read_port(colon + 1, &place->port) && read_address(text, (size_t)(colon - text), place);
}

static bool is_internet(const struct place *place)
{
	return place->family == AF_INET || place->family == AF_INET6;
}

static bool has_same_path(const struct place *one, const struct place *other)
{
	return memcmp(one->path, other->path, sizeof one->path) == 0;
}

bool place_is(const struct place *found, const struct place *written)
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

bool place_may_come_from(const struct place *local, const struct place *listener)
{
	if (local->family != listener->family)
		return false;
	if (is_internet(local))
		return local->port == listener->port;
	return local->family != AF_UNIX || has_same_path(local, listener);
}
