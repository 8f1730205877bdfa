/* view.h - the pools of this host as an operator sees them: what their pages tell, and where these
 * tell nothing, what /proc does. A page is hostile input, and a view of it is sound whatever is in
 * it: text has no control characters and ends, counts are bounded, times are not in the future.
 *
 * A figure that is not known is VIEW_UNKNOWN, never 0. Sizes are bytes, times milliseconds. May not
 * know: how any of it is shown. */
#ifndef SLSHIM_VIEW_H
#define SLSHIM_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "quantity.h"

#define VIEW_UNKNOWN UINT64_MAX

enum view_state {
	VIEW_SERVING,
	VIEW_WAITING,  /* over a limit, for its turn or until nothing holds it */
	VIEW_DRAINING, /* it finishes what is open, and accepts nothing */
	VIEW_AWAY,     /* it has left, and finishes what is open */
	VIEW_STAYING,  /* it will never leave by slshim; `held_by` says why */
	VIEW_DEAD,     /* and its place has not been filled */
	VIEW_STATES
};

/* "serving", "waiting", ... */
extern const char *const view_state_names[VIEW_STATES];

struct worker_view {
	pid_t pid; /* in the pid namespace of its master */
	enum view_state state;
	uint64_t age;                   /* since its fork */
	uint64_t told_ago;              /* how old the figures below are */
	uint64_t connections, requests; /* since its fork */
	uint64_t open;                  /* connections */
	uint64_t unshared, proportional, resident, swapped;
	char held_by[128]; /* why it does not leave; "": nothing holds it, or it is within its limits */
};

/* Does its master replace workers that leave? */
enum view_replacing { VIEW_REPLACES, VIEW_ON_TRIAL, VIEW_REPLACING_UNKNOWN };

/* Since the page was made, but for the last. */
struct view_counts {
	uint64_t leavings[QUANTITIES];    /* by the limit crossed; one may cross several */
	uint64_t leavings_asked;          /* because the application asked for it */
	uint64_t leavings_all;            /* workers */
	uint64_t would_leave[QUANTITIES]; /* in a dry run */
	uint64_t would_leave_all;
	uint64_t spared;       /* times that a limit did not count, because leaving would not help */
	uint64_t deaths;       /* of workers that slshim did not send */
	uint64_t replacements; /* newcomers that took the place of one that had left or died */
	uint64_t drains;
	uint64_t connections, requests;   /* that workers told of */
	uint64_t walks, walk_nanoseconds; /* of page tables */
	uint64_t lost_lines;              /* of the log */
	uint64_t waited;                  /* of those that left: for their turn */
	uint64_t lived, served;           /* of those that left: milliseconds, connections */
	uint64_t left_ago;                /* the last leaving; VIEW_UNKNOWN: none yet */
};

struct pool_view {
	pid_t master; /* as this process sees it; 0: in another pid namespace */
	char program[64];
	char unit[128];                 /* of systemd's, or the last part of its cgroup; "": none */
	char listeners[256];            /* addresses, with a space between */
	char method[64];                /* by which its workers leave, as the log names it */
	char whose[64];                 /* whose choice that is */
	char settings[1024];            /* as understood: " SL_MAX_UNSHARED=50M ..." */
	uint64_t limit[QUANTITIES];     /* in the unit of the quantity; 0: none */
	bool is_dry_run, is_of_started; /* its master starts workers by execve */
	enum view_replacing replacing;
	uint64_t age;       /* of the page */
	uint64_t vacancies; /* workers that are away and not yet replaced */
	struct view_counts counts;
	struct worker_view *workers; /* by pid */
	unsigned count;
};

/* A process without a pool. */
struct view_process {
	pid_t pid;
	char program[64];
};

struct views {
	struct pool_view *pools; /* by master */
	unsigned count;
	/* Their environment names the library, and they do not have it mapped. */
	struct view_process *unmapped;
	unsigned unmapped_count;
	/* They have it, and it is off because a setting is wrong; without their children. */
	struct view_process *misconfigured;
	unsigned misconfigured_count;
	unsigned unreadable; /* pools that there are and that may not be read */
};

/* Looks at all pools, or at that of `only`, which may be a master or a worker, if it is not 0.
 * False with errno if /proc cannot be read. */
bool views_find(struct views *views, pid_t only);
void views_free(struct views *views);

/* Measures workers that have not told their unshared memory: those that were just born, or whose
 * limits need no walk of the page tables. As far as /proc may be read, and until that has taken
 * `budget` nanoseconds of processor time. */
void views_measure(struct views *views, uint64_t budget);

/* Of those that are known, of workers that are neither away nor dead. The median and the maximum
 * are VIEW_UNKNOWN if none is. */
struct view_sums {
	uint64_t unshared, proportional, swapped;
	uint64_t unshared_median, unshared_most;
	uint64_t shared_once; /* sum of proportional less sum of unshared, where both are known */
	unsigned measured, unmeasured;
	unsigned of_state[VIEW_STATES];
};
struct view_sums view_sum(const struct pool_view *pool);

/* As JSON, for scripts, recordings and reports: one object for a pool, as view.c's comment shows;
 * what is unknown is null. The caller has the reference. */
struct json_t;
struct json_t *view_json(const struct pool_view *pool);

#endif
