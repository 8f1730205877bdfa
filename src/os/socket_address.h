/* socket_address.h - where a listener is, as the kernel tells it and as SL_LISTEN writes it. May
 * not know: listeners, or who asks. Keeps errno; async-signal-safe. */
#ifndef SLSHIM_SOCKET_ADDRESS_H
#define SLSHIM_SOCKET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { SOCKET_ADDRESS_PATH_SIZE = 108 }; /* of Linux' struct sockaddr_un */

struct socket_address {
	sa_family_t family;                  /* AF_UNSPEC, as read from text: any internet address */
	uint16_t port;                       /* in host order; of internet addresses */
	uint32_t words[4];                   /* of the address, as in memory; the first one of IPv4 */
	char path[SOCKET_ADDRESS_PATH_SIZE]; /* of a Unix socket, NUL at the end if there is room; an
	                               abstract one begins with NUL */
};

/* Where a socket is bound; false if it is none. Of other families only the family is told. */
bool socket_address_find(int fd, struct socket_address *address);

/* "8080", "127.0.0.1:8080", "[::1]:8080", "/run/server.sock", "@abstract"; false if it is none of
 * them. Pure. */
bool socket_address_read(const char *text, struct socket_address *address);

/* What socket_address_read takes, for people. */
extern const char socket_address_accepted[];

/* How many words the address has. */
static inline unsigned socket_address_words(const struct socket_address *address)
{
	return address->family == AF_INET ? 1 : address->family == AF_INET6 ? 4 : 0;
}

/* Is a socket that is bound to `found` one of those that `written` is about? Pure. */
bool socket_address_is(const struct socket_address *found, const struct socket_address *written);

/* Can a connection whose own end is at `local` have come from a listener there? One on any address
 * gives its connections a particular one: of internet addresses only the port tells. Pure. */
bool socket_address_may_come_from(const struct socket_address *local,
                                  const struct socket_address *listener);

#endif
