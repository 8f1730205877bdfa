/* socket_address.c - finds, reads and compares socket addresses. */
#include "os/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "os/number.h"

const char socket_address_accepted[] =
    "one or more, with commas between, of a port (8080), an address and "
    "a port (127.0.0.1:8080, [::1]:8080), the path of a socket, and "
    "@NAME of an abstract one";

static bool takes_ipv4(int fd)
{
	int is_ipv6_only = 1;
	socklen_t size = sizeof is_ipv6_only;

	return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_ipv6_only, &size) == 0 && !is_ipv6_only;
}

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
		address->takes_ipv4 = takes_ipv4(fd);
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

/* By whatever path, also through a symbolic link, or relative to the working directory. */
static bool is_same_file(const struct socket_address *one, const struct socket_address *other)
{
	char path[SOCKET_ADDRESS_PATH_SIZE + 1] = "", other_path[SOCKET_ADDRESS_PATH_SIZE + 1] = "";
	struct stat status, other_status;
	int saved = errno;
	bool is_same;

	if (one->path[0] == '\0' || other->path[0] == '\0')
		return false;
	memcpy(path, one->path, sizeof one->path);
	memcpy(other_path, other->path, sizeof other->path);
	is_same = stat(path, &status) == 0 && stat(other_path, &other_status) == 0 &&
	          status.st_ino == other_status.st_ino && status.st_dev == other_status.st_dev;
	errno = saved;
	return is_same;
}

/* ::ffff:127.0.0.1 is 127.0.0.1. */
static struct socket_address unmap(const struct socket_address *address)
{
	struct socket_address plain = *address;

	if (address->family != AF_INET6 || (address->words[0] | address->words[1]) != 0 ||
	    address->words[2] != htonl(0xffff))
		return plain;
	plain.family = AF_INET;
	memset(plain.words, 0, sizeof plain.words);
	plain.words[0] = address->words[3];
	return plain;
}

static bool reaches(const struct socket_address *written, const struct socket_address *found)
{
	static const uint32_t all[4];

	if (written->family == found->family &&
	    memcmp(written->words, found->words, sizeof found->words) == 0)
		return true;
	return memcmp(found->words, all, sizeof all) == 0 &&
	       (written->family == found->family || found->takes_ipv4);
}

bool socket_address_is(const struct socket_address *found, const struct socket_address *written)
{
	struct socket_address one, other;

	if (found->family == AF_UNIX && written->family == AF_UNIX)
		return has_same_path(found, written) || is_same_file(found, written);
	if (!is_internet(found) || found->port != written->port || written->family == AF_UNIX)
		return false;
	if (written->family == AF_UNSPEC)
		return true;
	one = unmap(found);
	other = unmap(written);
	return reaches(&other, &one);
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

void socket_address_describe(const struct socket_address *address, struct line *line)
{
	bool is_ipv6 = address->family == AF_INET6;
	char text[INET6_ADDRSTRLEN];

	if (address->family == AF_UNIX) {
		line_text(line, address->path[0] == '\0' ? "@" : "");
		line_foreign(line, address->path + (address->path[0] == '\0'));
		return;
	}
	if (address->family == AF_INET || is_ipv6) {
		line_text(line, is_ipv6 ? "[" : "");
		line_text(line, inet_ntop(address->family, address->words, text, sizeof text));
		line_text(line, is_ipv6 ? "]:" : ":");
	}
	line_number(line, address->port);
}
