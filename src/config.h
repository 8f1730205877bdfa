/* config.h - the environment as one configuration, written once and read-only after, but for
 * `check_every`, so no lock.
 *
 * The constructor keeps the text of the variables, since servers overwrite theirs later; what it
 * means is read when the program turns out to be a server.
 *
 * Pure: takes the environment as an argument, keeps no pointer into it, does no input or output.
 * May not know: anything but the vocabulary. */
#ifndef SLSHIM_CONFIG_H
#define SLSHIM_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exit_method.h"
#include "log/log.h"
#include "os/line.h"
#include "os/socket_address.h"
#include "quantity.h"

enum probe_choice { PROBE_AUTO, PROBE_ROLLUP, PROBE_SMAPS, PROBE_STATM, PROBE_RUSAGE, PROBES };

enum { MAX_LEAVING = 1024, CONFIG_PROGRAMS = 8, CONFIG_ADDRESSES = 8 };

typedef char program_pattern[64];

struct config {
	uint64_t limit[QUANTITIES];   /* bytes, milliseconds or a count; 0: off */
	_Atomic uint64_t check_every; /* connections, at least 1; the application may change it */
	uint64_t replace_timeout;     /* milliseconds, at least 1,000; 0: as the profile has it */
	struct exit_method leave;     /* ACTION_UNSPECIFIED without SL_LEAVE */
	unsigned max_leaving;         /* 1 to MAX_LEAVING workers, or 1 to 100 percent of the pool */
	bool max_leaving_is_percent;
	program_pattern only[CONFIG_PROGRAMS]; /* patterns as of fnmatch(3) */
	unsigned onlys;                        /* 0: any program */
	struct socket_address listen[CONFIG_ADDRESSES];
	unsigned listens; /* 0: any listener */
	enum probe_choice probe;
	unsigned probe_budget;        /* 1 to 100: percent of the time that walks may take */
	unsigned percent[QUANTITIES]; /* 1 to 100: the limit is that much of the machine's memory */
	uint64_t strikes;             /* at least 1 */
	uint64_t min_age;             /* milliseconds */
	unsigned jitter;              /* 0 to 90 percent */
	unsigned pressure;            /* percent; 0: limits always apply */
	bool thp_never, ksm;
	bool trim;        /* memory is given back before anybody leaves */
	bool application; /* limits may come from there alone */
	bool dry_run;
	bool strict;
	enum log_target log;
	char log_path[LOG_PATH_SIZE]; /* absolute, with LOG_FILE */
};

/* What is wrong with an environment: lines without prefix or newline. An error turns the shim
 * off; a warning does not. More than fit are counted, not kept. */
enum { REMARKS_KEPT = 32, REMARK_SIZE = 256 };

struct remarks {
	unsigned errors;
	unsigned warnings;
	char text[REMARKS_KEPT][REMARK_SIZE];
};

/* What an environment has of our variables, in room that the caller lends. */
struct config_kept {
	const char *text; /* NAME=value of those that we have, the NAME alone of the first few others;
	                     a NUL after each */
	size_t size;      /* of all that; 0: there are none, unless it is cut */
	unsigned others;  /* variables whose names begin like ours, ... */
	unsigned named;   /* ... and how many of them are in the text */
	bool is_cut;      /* the room was too small */
	bool may_limit;   /* one may be a limit, or have the application set some */
	bool cannot_wait; /* one concerns the start of the program */
};

enum {
	CONFIG_ROOM = 4096,      /* is enough for any configuration */
	CONFIG_VALUE_MOST = 1024 /* a longer value is refused, and cut in the text */
};

/* Copies from the NAME=value strings of `environment` (NULL at the end). Made for the start of
 * every program: reads nothing of the values, makes no call and takes some 50 ns for a variable. */
void config_keep(struct config_kept *kept, char *room, size_t size, char *const environment[]);

/* Fills both. After an error only `strict`, `log` and `log_path` of the configuration are of use.
 * Of a variable that is there more than once the last value counts; lists add up. */
void config_read(struct config *config, struct remarks *remarks, const struct config_kept *kept);

/* Adds a warning for each of the others that is named, and one for the rest. Slow. */
void config_warn_of_unknown(struct remarks *remarks, const struct config_kept *kept);

/* What the application says of one limit: false if there is none of this name, or it does not take
 * the value. `percent`, unless 0, is what it is of the memory, and then `limit` is 0. */
bool config_read_limit(const char *variable, const char *value, enum quantity *quantity,
                       uint64_t *limit, unsigned *percent);

/* Of SL_CHECK_EVERY, the same. */
bool config_read_interval(const char *variable, const char *value, uint64_t *check_every);

bool config_has_limit(const struct config *config);

/* Is a limit a share of the memory? Then config_scale() makes a number of it. */
bool config_has_share(const struct config *config);
void config_scale(struct config *config, uint64_t memory);
uint64_t config_share(unsigned percent, uint64_t memory);

/* Does SL_LISTEN leave it to be watched? */
bool config_watches(const struct config *config, const struct socket_address *address);

/* The variables as understood, "SL_MAX_UNSHARED=51200 KB SL_CHECK_EVERY=1 ...". */
void config_describe(const struct config *config, struct line *line);

/* The name of every variable, in the order of the manual; NULL from `count` on. */
const char *config_variable(size_t index);

#endif
