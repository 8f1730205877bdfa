/* history.h - what is known of pools over time: which workers lived when and with how much memory,
 * which of them left and why. A log, a recording or looks at living pools fill it, all of which
 * others may have written: it is sound whatever they say.
 *
 * Times are milliseconds since the epoch, ages milliseconds, sizes bytes; VIEW_UNKNOWN is what is
 * not known. May not know: where it comes from, or how it is shown. */
#ifndef SLSHIM_HISTORY_H
#define SLSHIM_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cmd/view.h"
#include "quantity.h"

/* Why a worker leaves: a limit, by its quantity, or because the application asked for it. */
enum { REASON_ASKED = QUANTITIES, REASONS };

/* "SL_MAX_UNSHARED", ..., "the application" */
const char *reason_name(int reason);

/* What is kept of a worker's memory at each look. */
enum memory { MEMORY_UNSHARED, MEMORY_PROPORTIONAL, MEMORY_RESIDENT, MEMORY_SWAPPED, MEMORIES };
extern const enum quantity memory_quantities[MEMORIES];

/* One worker at one look. */
struct glimpse {
	unsigned life; /* its index */
	uint64_t memory[MEMORIES];
};

struct look {
	uint64_t time;
	unsigned away;      /* workers */
	struct glimpse *of; /* those that have memory: neither away nor dead */
	unsigned count;
};

enum life_end {
	LIFE_GOES_ON,
	LIFE_LEFT,
	LIFE_DIED,
	LIFE_ENDED /* and it is not known how */
};

/* A worker, from its first look to its last. */
struct life {
	pid_t pid;
	uint64_t born, first, last;
	uint64_t connections;
	uint64_t memory[MEMORIES], most[MEMORIES]; /* at its last look that told them, at any */
	enum view_state state;
	enum life_end end;
	bool is_held;
};

/* One worker that leaves, or would leave if this were no dry run. */
struct leaving {
	uint64_t time;
	pid_t pid;
	char method[32];            /* "": unknown */
	unsigned reasons;           /* bit r: this reason; none: unknown */
	bool would_leave;           /* SL_DRY_RUN */
	struct sample sample;       /* of what it had then */
	uint64_t limit[QUANTITIES]; /* of those that it crossed */
	uint64_t drained, waited;   /* milliseconds */
};

/* What happened at a time. */
struct tally {
	uint64_t time;
	uint64_t leavings, would_leave; /* workers */
	uint64_t reasons[REASONS];      /* of both; one may leave for several */
	uint64_t deaths, replacements;
};

/* The limits since a time, by quantity; 0: none. */
struct limits {
	uint64_t time;
	uint64_t of[QUANTITIES];
};

/* What a log says besides. Lines that differ in their numbers only are one remark. */
struct remark {
	uint64_t first, last, count;
	char *text; /* the last of them */
};

struct pool_history {
	char program[64], unit[128], listeners[256], method[64], whose[64], settings[1024];
	pid_t master;          /* 0: unknown */
	uint64_t begin, end;   /* of what is known; VIEW_UNKNOWN: nothing */
	uint64_t memory_there; /* that the server may use */
	bool is_dry_run;
	bool is_counted;       /* no look lacked the counts of leavings */
	struct limits *limits; /* as they changed */
	unsigned limit_count;
	struct look *looks;
	unsigned look_count;
	uint64_t looks_taken; /* of which `looks` are every so many */
	struct life *lives;
	unsigned life_count;
	struct leaving *leavings;
	unsigned leaving_count;
	struct tally *tallies;
	unsigned tally_count;
	struct remark *remarks;
	unsigned remark_count;
	uint64_t remarks_left_out, lost_lines; /* of the log */
	/* Of the last look: */
	unsigned *present; /* its lives, by pid */
	unsigned present_count;
	uint64_t last_time, stride;
	struct view_counts counts;
	uint64_t age;
};

struct history {
	struct pool_history *pools;
	unsigned count;
	unsigned left_out; /* pools, because there are too many */
};

enum {
	HISTORY_POOLS = 64,
	HISTORY_LOOKS = 480, /* at least, when there have been more; twice as many at most */
	HISTORY_REMARKS = 64
};

/* A pool that only a log tells of is known by its program. NULL if there are too many. */
struct pool_history *history_of_program(struct history *history, const char *program);

/* Adds a pool as it was at a time, which is no earlier than that of the look before. */
void history_look(struct history *history, uint64_t time, const struct pool_view *view);

void history_set_limits(struct pool_history *pool, uint64_t time, const uint64_t of[QUANTITIES]);
void history_add_leaving(struct pool_history *pool, const struct leaving *leaving);
void history_add_remark(struct pool_history *pool, uint64_t time, const char *text);

/* Puts leavings and tallies in the order of their time. */
void history_sort(struct history *history);
void history_free(struct history *history);

/* The last limit on a quantity; 0: none. */
uint64_t history_limit(const struct pool_history *pool, enum quantity quantity);

void tally_add(struct tally *sum, const struct tally *one);

/* Of all its time. */
struct tally history_sum(const struct pool_history *pool);

/* A value of a sample, or VIEW_UNKNOWN. */
uint64_t sample_value(const struct sample *sample, enum quantity quantity);

/* Room for one more in a list of `count`; ends the command if there is none. */
void *list_room(void *list, unsigned count, size_t size);

#endif
