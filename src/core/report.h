/* report.h - what the shim says, a line for each thing that it does or does not do. May not know:
 * how any of it is decided. */
#ifndef SLSHIM_REPORT_H
#define SLSHIM_REPORT_H

#include "config.h"
#include "core/remark.h"
#include "exit_method.h"
#include "os/machine.h"
#include "pool/statistics.h"
#include "quantity.h"

void report_remarks(const struct remarks *remarks);

/* The limits as understood, how workers will leave and what says so ("SL_LEAVE", ...), and in how
 * many milliseconds the place of one is taken to be filled; `is_tried`: one leaves on trial first.
 */
void report_limits(const struct config *config, const struct machine_memory *memory,
                   const struct exit_method *method, const char *whose, uint64_t replaced_within,
                   bool is_tried);

/* A limit on this quantity can never be crossed here, because no probe tells it. */
void report_unmeasurable(enum quantity quantity, const struct config *config);

void report_log_failure(const char *path, int error);

/* A limit is a share of the memory, and how much there is is unknown. */
void report_unscaled(enum quantity quantity);

/* SL_LISTEN names no listener that the server has. */
void report_unlistened(void);

/* There is no file in the directory of SL_STATUS, because of this fault. */
void report_no_status(const char *directory, const char *fault);

/* The kernel tells no pressure. */
void report_pressure_unknown(void);

/* The kernel refused what a variable asks for, with this errno. */
void report_refused(const char *variable, int error);

/* Recycling is off because the workers share no page. */
void report_no_page(void);

struct leaving {
	const struct exit_method *method;
	const uint64_t *limit; /* this worker's, by quantity */
	struct sample sample;
	unsigned crossed;          /* bit q: the limit on quantity q */
	bool is_asked;             /* the application wants it to leave */
	uint64_t undecided;        /* milliseconds for which the budget kept it from being measured */
	uint64_t drained;          /* milliseconds for which it accepted nothing; 0: it did not drain */
	unsigned open;             /* connections that it was given no more time for */
	uint64_t waited;           /* milliseconds since the limit was crossed */
	uint64_t served_meanwhile; /* connections in that time */
};

void report_leaving(const struct leaving *leaving);
void report_would_leave(const struct leaving *leaving);

/* In a dry run, of the last `span` milliseconds: how many lives would have ended, and how long they
 * were in all. */
void report_dry_run(const struct pool_summary *summary);

/* A worker is over these limits and stays: REMARK_NEWBORN or REMARK_EARLY. */
void report_exempted(unsigned remark, const struct leaving *leaving);

/* SL_TRIM gave memory back: the bytes that were resident before, and what there is now. */
void report_trimmed(uint64_t before, const struct leaving *now);

void report_stay(unsigned remark, const struct exit_method *method);

/* What it says; NULL if this is no reason to stay. The manual lists them all. */
const char *report_reason(unsigned remark);

/* REMARK_UNMEASURED. */
void report_unmeasured(void);

/* A process that accepts is not watched: REMARK_UNSEEN, REMARK_BLIND, REMARK_PARENT_LACKS_LISTENER,
 * REMARK_NO_MASTER or REMARK_PASSED_BY. */
void report_unwatched(unsigned remark);

/* SL_ONLY leaves out a program that has workers. */
void report_left_out(const struct config *config);

/* Why the default exit point of a worker is a close. */
void report_lock(enum lock lock);

#endif
