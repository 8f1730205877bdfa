/* listener.h - what a listening socket is to its clients: where it is, and who else would take the
 * connections that wait for it. May not know: processes, or why one asks.
 *
 * Async-signal-safe. */
#ifndef SLSHIM_LISTENER_H
#define SLSHIM_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

/* Does an accept wait for a connection? */
bool listener_blocks(int fd);

/* The same number for sockets that are bound to the same internet address; 0: not one of those. */
uint64_t listener_address_key(int fd);

/* Does the kernel hand those that wait over when the socket is closed? It does where
 * net.ipv4.tcp_migrate_req is 1 (Linux 5.14) and another socket of the SO_REUSEPORT group
 * listens. */
bool listener_has_reuseport_peers(int fd);

#endif
