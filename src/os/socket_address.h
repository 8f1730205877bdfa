/* socket_address.h - the address of a socket, as the kernel tells it and as SL_LISTEN writes it.
 * May not know: which sockets listen, or why it is asked.
 *
 * The functions are async-signal-safe and keep errno. */
#ifndef SLSHIM_SOCKET_ADDRESS_H
#define SLSHIM_SOCKET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "os/line.h"

enum { SOCKET_ADDRESS_PATH_SIZE = 108 }; /* of Linux' struct sockaddr_un */

struct socket_address {
	sa_family_t family;                  /* AF_UNSPEC, if read from text: any internet address */
	uint16_t port;                       /* of an internet address, in host order */
	uint32_t words[4];                   /* the address in network order; IPv4 has only the first */
	char path[SOCKET_ADDRESS_PATH_SIZE]; /* of a Unix socket, with a NUL at the end if there is
	                                        room; an abstract one begins with a NUL */
	bool takes_ipv4; /* of an IPv6 socket that was found: IPv4 connections come to it as well */
};

/* Finds the address that a socket is bound to; false if `fd` is not a socket. For families other
 * than internet and Unix only the family is set. */
bool socket_address_find(int fd, struct socket_address *address);

/* Finds the process that made the other end of a Unix socket, or of both where it made both; false
 * if it cannot be told. */
bool socket_peer_process(int fd, pid_t *pid);

/* Reads "8080", "127.0.0.1:8080", "[::1]:8080", "/run/server.sock" or "@abstract"; false if it is
 * none of these. Pure. */
bool socket_address_read(const char *text, struct socket_address *address);

/* Adds it as socket_address_read() reads it; nothing of a family that it does not know. Pure. */
void socket_address_describe(const struct socket_address *address, struct line *line);

/* Says what socket_address_read() accepts, for a remark. */
extern const char socket_address_accepted[];

/* Returns how many elements of `words` are used. */
static inline unsigned socket_address_words(const struct socket_address *address)
{
	return address->family == AF_INET ? 1 : address->family == AF_INET6 ? 4 : 0;
}

/* Does `written`, as read from text, name the listener at `found`, as the kernel tells it? It does
 * if they are one address, also as an IPv4 address within IPv6, or paths of one file; or if the
 * listener is bound to all addresses, and a connection to the one that is written reaches it. */
bool socket_address_is(const struct socket_address *found, const struct socket_address *written);

/* Can a connection with the local address `local` have been accepted from `listener`? Of internet
 * addresses only the ports are compared, because a listener may be bound to all addresses. Pure. */
bool socket_address_may_come_from(const struct socket_address *local,
                                  const struct socket_address *listener);

#endif
