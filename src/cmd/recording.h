/* recording.h - reads a recording: lines of slshim top --json, an object with the time and the
 * pools for each look, as view_json() makes them; and the lines of journalctl -o json, which are of
 * a log. Anybody may have written them. May not know: what becomes of it. */
#ifndef SLSHIM_RECORDING_H
#define SLSHIM_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/history.h"

enum recording_answer {
	RECORDING_LOOK,    /* pools at a time */
	RECORDING_LOG,     /* a line of the library's, in the journal */
	RECORDING_FOREIGN, /* something else that is JSON */
	RECORDING_BROKEN   /* no JSON: it may be cut off */
};

/* Adds what a line tells to a history. */
enum recording_answer recording_read_line(struct history *history, const char *line, size_t size);

#endif
