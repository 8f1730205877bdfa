/* config.h - the SL_ variables of the environment as one configuration. It is written once and
 * read-only afterwards, except `check_every`, so there is no lock.
 *
 * The constructor copies the text of the variables, because servers overwrite their environment
 * later. The text is parsed when the program turns out to be a server.
 *
 * Pure: the environment is an argument, no pointer into it is kept, and there is no input or
 * output. May not know: what the rest of the library does with the configuration. */
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

enum { CONFIG_PATH_SIZE = 256, MAX_LEAVING = 1024, CONFIG_PROGRAMS = 8, CONFIG_ADDRESSES = 8 };

typedef char program_pattern[64];

struct config {
	uint64_t limit[QUANTITIES];   /* bytes, milliseconds or a count; 0: off */
	_Atomic uint64_t check_every; /* connections, at least 1; the application may change it */
	uint64_t replace_timeout;     /* milliseconds, at least 1,000; 0: as the profile says */
	uint64_t drain_timeout;       /* milliseconds; 0: no worker drains */
	bool overdue_leaves;          /* when that has passed a worker leaves; else it accepts again */
	struct exit_method leave;     /* ACTION_UNSPECIFIED without SL_LEAVE */
	unsigned max_leaving;         /* 1 to MAX_LEAVING workers, or 1 to 100 percent of the pool */
	bool max_leaving_is_percent;
	program_pattern only[CONFIG_PROGRAMS]; /* patterns as of fnmatch(3) */
	unsigned onlys;                        /* 0: any program */
	struct socket_address listen[CONFIG_ADDRESSES];
	unsigned listens; /* 0: any listener */
	enum probe_choice probe;
	unsigned probe_budget;        /* 1 to 100: percent of the time that walks may take */
	unsigned percent[QUANTITIES]; /* 1 to 100: the limit is this share of the memory; 0: none */
	uint64_t strikes;             /* at least 1 */
	uint64_t min_age;             /* milliseconds */
	unsigned jitter;              /* 0 to 90 percent */
	unsigned pressure;            /* percent; 0: limits always apply */
	bool thp_never, ksm;
	bool trim;        /* a worker first tries to give memory back, before it leaves */
	bool application; /* the application may set limits, even if no variable does */
	bool dry_run;
	bool strict;
	enum log_target log;
	char log_path[LOG_PATH_SIZE];  /* absolute, with LOG_FILE */
	char status[CONFIG_PATH_SIZE]; /* the directory for the pool's page; "": it has no file */
	unsigned status_mode;          /* of that file */
};

/* What is wrong with an environment, as lines without prefix or newline. An error turns the library
 * off, a warning does not. Those that do not fit are only counted. */
enum { REMARKS_KEPT = 32, REMARK_SIZE = 256 };

struct remarks {
	unsigned errors;
	unsigned warnings;
	char text[REMARKS_KEPT][REMARK_SIZE];
};

/* A copy of the SL_ variables, in room that the caller provides. */
struct config_copy {
	const char *text; /* NAME=value of each known variable, and the NAME alone of the first few
	                     unknown ones; each is followed by a NUL */
	size_t size;      /* of the text, in bytes; 0: there are none, unless it is cut */
	unsigned others;  /* unknown variables whose names begin with SL_, ... */
	unsigned named;   /* ... and how many of these are in the text */
	bool is_cut;      /* the room was too small */
	bool may_limit;   /* a variable may set a limit, or allow the application to */
	bool cannot_wait; /* a variable has an effect at the start of the program */
};

enum {
	CONFIG_ROOM = 4096,      /* bytes, enough for any configuration */
	CONFIG_VALUE_MOST = 1024 /* bytes; a longer value is refused, and cut in the text */
};

/* Copies from the NAME=value strings of `environment`, which ends with NULL. It runs at the start
 * of every program, so it does not parse the values, calls no other library, and takes some 50 ns
 * for each variable. */
void config_copy(struct config_copy *copied, char *room, size_t size, char *const environment[]);

/* Parses the copy, and fills the configuration and the remarks. After an error only `strict`, `log`
 * and `log_path` are meaningful. If a variable comes more than once its last value counts; lists
 * are joined. */
void config_read(struct config *config, struct remarks *remarks, const struct config_copy *copied);

/* Adds a warning for each unknown variable in the text, and one for all the others. Slow. */
void config_warn_of_unknown(struct remarks *remarks, const struct config_copy *copied);

/* Reads one limit, from the application; false if no limit has this name, or if it does not accept
 * the value. A limit that is a share of the memory has `percent` above 0 and `limit` 0. */
bool config_read_limit(const char *variable, const char *value, enum quantity *quantity,
                       uint64_t *limit, unsigned *percent);

/* The same for SL_CHECK_EVERY. */
bool config_read_interval(const char *variable, const char *value, uint64_t *check_every);

bool config_has_limit(const struct config *config);

/* Is any limit a share of the memory? config_scale() turns these into bytes; `memory` is in bytes.
 */
bool config_has_share(const struct config *config);
void config_scale(struct config *config, uint64_t memory);
uint64_t config_share(unsigned percent, uint64_t memory);

/* Is a listener at this address to be watched, by SL_LISTEN? */
bool config_watches(const struct config *config, const struct socket_address *address);

/* Writes the variables as they were understood: " SL_MAX_UNSHARED=51200 KB SL_CHECK_EVERY=1 ...".
 */
void config_describe(const struct config *config, struct line *line);

/* Returns the name of each variable, in the order of the manual; NULL after the last. */
const char *config_variable(size_t index);

/* What that variable accepts, in words; and is that 0 or 1? */
const char *config_accepted(size_t index);
bool config_is_switch(size_t index);

#endif
