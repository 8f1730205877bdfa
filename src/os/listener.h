/* listener.h - asks the kernel about a listening socket: whether it blocks, where it is bound, and
 * which other sockets would get its waiting connections. May not know: processes, or why it is
 * asked.
 *
 * The functions are async-signal-safe; they may change errno. */
#ifndef SLSHIM_LISTENER_H
#define SLSHIM_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "os/socket_address.h"

/* Does accept() wait until there is a connection? */
bool listener_blocks(int fd);

/* May this be a connection, open or at its end, that was accepted at that address? Also true of a
 * socket that is bound there and does not listen. */
bool listener_may_have_given(const struct socket_address *listener, int fd);

/* Returns the same number for sockets that are bound to the same internet address; 0 if `fd` is not
 * an internet socket. */
uint64_t listener_address_key(int fd);

/* Is SO_REUSEPORT set? Then other sockets may be bound to the same address, and nobody else gets
 * what waits for this one. */
bool listener_may_have_peers(int fd);

/* When this socket is closed, does the kernel hand its waiting connections to reuseport peers? It
 * does if net.ipv4.tcp_migrate_req is 1 (Linux 5.14) and another socket of the SO_REUSEPORT group
 * listens. */
bool listener_has_reuseport_peers(int fd);

#endif
