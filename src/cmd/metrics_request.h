/* metrics_request.h - what --listen names, and what a client wants. Pure. May not know: how
 * requests come, or what they get. */
#ifndef SLSHIM_METRICS_REQUEST_H
#define SLSHIM_METRICS_REQUEST_H

#include <stdbool.h>
#include <sys/socket.h>

#include "cmd/exposition.h"

struct listen_address {
	struct sockaddr_storage socket;
	socklen_t length;
};

/* Reads "9123" and ":9123", which are of 127.0.0.1, "192.0.2.1:9123" and "[::]:9123". False if it
 * is none of these. */
bool listen_address_read(struct listen_address *address, const char *text);

/* The value of a request's Accept; NULL: it has none. OpenMetrics is for those that name it, and do
 * not like the classic text better. */
enum exposition_format accepted_format(const char *accept);

#endif
