/* metrics_listen.h - a small HTTP server for one text. May not know: what is in the text. */
#ifndef SLSHIM_METRICS_LISTEN_H
#define SLSHIM_METRICS_LISTEN_H

#include <stddef.h>

#include "cmd/metrics_request.h"

/* Returns text that the caller frees, and its length; NULL if there is none. */
typedef char *metrics_source(const void *argument, enum exposition_format format, size_t *length);

/* Answers requests for /metrics until SIGTERM or SIGINT. Returns the exit status. `name` is the
 * address as it was given. */
int metrics_listen(const struct listen_address *address, const char *name, metrics_source *source,
                   const void *argument);

#endif
