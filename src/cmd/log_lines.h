/* log_lines.h - reads what the library writes to a log, as src/core/report.c words it: on its own,
 * between the lines of a server, by way of syslog, or as journalctl writes it. Pure.
 *
 * May not know: where the lines are. */
#ifndef SLSHIM_LOG_LINES_H
#define SLSHIM_LOG_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/history.h"

enum log_answer {
	LOG_READ,
	LOG_FOREIGN, /* no line of the library */
	LOG_TIMELESS /* one without a time that tells the year */
};

/* Adds what a line tells to a history. The line has no newline, and may have any bytes. */
enum log_answer log_read_line(struct history *history, const char *line);

/* The same for a message of the library's whose time is known, as "apache2[4711] leaves by ...". */
enum log_answer log_read_message(struct history *history, uint64_t time, const char *message);

/* Reads "2026-11-22T22:50:01.250Z", or with "+01:00" or "+0100" at its end, as milliseconds since
 * the epoch. Returns what follows; NULL if it is no such time. */
const char *log_read_time(const char *text, uint64_t *time);

#endif
