/* application.h - what the application asks for (include/slshim.h), in the current process of a
 * server that is on.
 *
 * Each returns 0, or EBUSY while another thread judges, or ENODATA for what cannot be measured. May
 * not know: names and texts. */
#ifndef SLSHIM_APPLICATION_H
#define SLSHIM_APPLICATION_H

#include <stdint.h>

#include "quantity.h"

/* A limit for good, or for the request at hand. */
int application_limit(enum quantity quantity, uint64_t limit);
int application_limit_request(enum quantity quantity, uint64_t limit);

/* A check at the next exit point. */
int application_check(void);

/* This worker is to leave. */
int application_leave(void);

int application_request_done(void);
int application_measure(enum quantity quantity, uint64_t *value);

#endif
