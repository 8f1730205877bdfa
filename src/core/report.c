/* report.c - the wording of the log. See report.h for what it may not know. */
#include "core/report.h"

#include <unistd.h>

#include "leave/program.h"
#include "log/log.h"
#include "version.h"

/* "apache2[4711]" */
static void start(struct line *line)
{
	line_start(line);
	line_foreign(line, program_name());
	line_text(line, "[");
	line_number(line, (uint64_t)getpid());
	line_text(line, "]");
}

/* "apache2[4711]: SL_MAX_UNSHARED" */
static void start_about(struct line *line, const char *variable)
{
	start(line);
	line_text(line, ": ");
	line_text(line, variable);
}

void report_remarks(const struct remarks *remarks)
{
	unsigned count = remarks->errors + remarks->warnings;

	for (unsigned i = 0; i < count && i < REMARKS_KEPT; i++) {
		struct line line;

		start(&line);
		line_text(&line, ": ");
		line_text(&line, remarks->text[i]);
		log_write(&line);
	}
}

void report_limits(const struct config *config, const struct machine_memory *memory,
                   const struct exit_method *method, const char *whose, uint64_t replaced_within,
                   bool is_tried)
{
	struct line line;

	start(&line);
	line_text(&line, ": slshim " SLSHIM_VERSION " watches its workers:");
	config_describe(config, &line);
	if (memory->bytes > 0) {
		line_text(&line, "; the memory is ");
		quantity_write(&line, QUANTITY_RESIDENT, memory->bytes);
		line_text(&line, " (");
		line_foreign(&line, memory->source);
		line_text(&line, ")");
	}
	line_text(&line, "; they leave by ");
	exit_method_describe(method, &line);
	line_text(&line, " (");
	line_text(&line, whose);
	line_text(&line, ") and are replaced within ");
	line_seconds(&line, replaced_within);
	if (is_tried)
		line_text(&line, "; whether their master replaces them is tried with one of them first, "
		                 "which SL_LEAVE=none forbids");
	log_write(&line);
}

void report_unmeasurable(enum quantity quantity, const struct config *config)
{
	struct line line;

	start_about(&line, quantity_kinds[quantity].variable);
	line_text(&line, " will never fire: ");
	line_text(&line, quantity_kinds[quantity].name);
	line_text(&line, " cannot be measured here");
	if (config->probe != PROBE_AUTO)
		line_text(&line, " with this SL_PROBE");
	log_write(&line);
}

void report_unscaled(enum quantity quantity)
{
	struct line line;

	start_about(&line, quantity_kinds[quantity].variable);
	line_text(&line, " will never fire: it is a share of a memory whose size is unknown here");
	log_write(&line);
}

void report_pressure_unknown(void)
{
	struct line line;

	start(&line);
	line_text(&line, ": SL_PRESSURE has no effect: the kernel does not tell the pressure, and so "
	                 "limits always apply");
	log_write(&line);
}

static void add_error(struct line *line, int error)
{
	line_text(line, " (error ");
	line_number(line, (uint64_t)error);
	line_text(line, ")");
}

void report_log_failure(const char *path, int error)
{
	struct line line;

	start(&line);
	line_text(&line, ": SL_LOG=");
	line_foreign(&line, path);
	line_text(&line, " cannot be opened");
	add_error(&line, error);
	line_text(&line, "; standard error is used");
	log_write(&line);
}

void report_refused(const char *variable, int error)
{
	struct line line;

	start_about(&line, variable);
	line_text(&line, " has no effect: the kernel refuses it");
	add_error(&line, error);
	log_write(&line);
}

void report_no_page(void)
{
	struct line line;

	start(&line);
	line_text(&line, ": slshim is off: there is no memory to share with the workers");
	log_write(&line);
}

/* ----------------------------------------------------------------- leaving */

static void add_crossed(struct line *line, const struct leaving *leaving)
{
	const char *before = ", over ";

	if (leaving->is_asked)
		line_text(line, ", for the application asked it to");

	for (int q = 0; q < QUANTITIES; q++) {
		if ((leaving->crossed >> q & 1) == 0)
			continue;
		line_text(line, before);
		line_text(line, quantity_kinds[q].variable);
		line_text(line, ": ");
		quantity_write(line, (enum quantity)q, leaving->sample.value[q]);
		line_text(line, quantity_kinds[q].is_floor ? " < " : " > ");
		quantity_write(line, (enum quantity)q, leaving->limit[q]);
		before = " and ";
	}
}

/* Growth is told only where it has a limit, because elsewhere its base is not measured. Requests
 * are told only where the application counts them. */
static void add_sample(struct line *line, const struct leaving *leaving)
{
	const struct sample *sample = &leaving->sample;
	const char *before = "; ";

	for (int q = 0; q < QUANTITIES; q++) {
		if (q == QUANTITY_GROWTH && leaving->limit[q] == 0)
			continue;
		if (q == QUANTITY_REQUESTS && !sample_knows(sample, (enum quantity)q))
			continue;
		line_text(line, before);
		line_text(line, quantity_kinds[q].name);
		line_text(line, " ");
		if (sample_knows(sample, (enum quantity)q))
			quantity_write(line, (enum quantity)q, sample->value[q]);
		else
			line_text(line, "unknown");
		before = ", ";
	}
}

static void report_end(const struct leaving *leaving, const char *verb)
{
	struct line line;

	start(&line);
	line_text(&line, verb);
	line_text(&line, " by ");
	exit_method_describe(leaving->method, &line);
	add_crossed(&line, leaving);
	add_sample(&line, leaving);
	if (leaving->undecided > 0) {
		line_text(&line, "; not measured for ");
		line_seconds(&line, leaving->undecided);
		line_text(&line, " (SL_PROBE_BUDGET)");
	}
	line_text(&line, "; waited ");
	line_seconds(&line, leaving->waited);
	line_text(&line, " and ");
	line_number(&line, leaving->served_meanwhile);
	line_text(&line, " connections for its turn");
	log_write(&line);
}

void report_leaving(const struct leaving *leaving)
{
	report_end(leaving, " leaves");
}

void report_would_leave(const struct leaving *leaving)
{
	report_end(leaving, " would leave (SL_DRY_RUN)");
}

void report_dry_run(const struct pool_summary *summary)
{
	struct line line;

	start(&line);
	line_text(&line, ": in the last ");
	line_seconds(&line, summary->span);
	line_text(&line, " ");
	line_number(&line, summary->lives);
	line_text(&line, " workers of this server would have left (SL_DRY_RUN)");
	if (summary->lives > 0) {
		line_text(&line, ", after ");
		line_number(&line, summary->connections / summary->lives);
		line_text(&line, " connections and ");
		line_seconds(&line, summary->milliseconds / summary->lives);
		line_text(&line, " each");
	}
	log_write(&line);
}

/* With a quarter to spare. */
static uint64_t suggest(enum quantity quantity, uint64_t value)
{
	return quantity_kinds[quantity].is_floor ? value - value / 4 : value + value / 4;
}

void report_exempted(unsigned remark, const struct leaving *leaving)
{
	const char *before = "; what would work is ";
	struct line line;

	start(&line);
	line_text(&line, remark == REMARK_NEWBORN
	                     ? " stays, for it was over a limit before it served anything, and so "
	                       "would be the next"
	                     : " stays, for it came over a limit with its first connections, as those "
	                       "before it did");
	add_crossed(&line, leaving);
	for (int q = 0; q < QUANTITIES; q++)
		if (leaving->crossed >> q & 1) {
			line_text(&line, before);
			line_text(&line, quantity_kinds[q].variable);
			line_text(&line, "=");
			quantity_write(&line, (enum quantity)q,
			               suggest((enum quantity)q, leaving->sample.value[q]));
			before = ", ";
		}
	log_write(&line);
}

void report_trimmed(uint64_t before, const struct leaving *now)
{
	uint64_t is = now->sample.value[QUANTITY_RESIDENT];
	struct line line;

	start(&line);
	line_text(&line, " gave back ");
	quantity_write(&line, QUANTITY_RESIDENT, before > is ? before - is : 0);
	line_text(&line,
	          now->crossed == 0 ? " (SL_TRIM) and stays" : " (SL_TRIM), which is not enough");
	add_crossed(&line, now);
	add_sample(&line, now);
	log_write(&line);
}

const char *report_reason(unsigned remark)
{
	switch (remark) {
	case REMARK_INELIGIBLE + WORKER_NOT_FORKED:
		return "nobody forked it";
	case REMARK_INELIGIBLE + WORKER_ORPHAN:
		return "its parent is gone, so nobody would replace it";
	case REMARK_INELIGIBLE + WORKER_BESIDE_PARENT:
		return "its parent accepts as well, so it is no master that would replace it";
	case REMARK_INELIGIBLE + WORKER_HAS_WORKERS:
		return "its own children are workers, and it is their master";
	case REMARK_INELIGIBLE + WORKER_OWN_LISTENER:
		return "it accepts on a socket that it opened itself, whose waiting connections would be "
		       "lost; with an SL_LEAVE, net.ipv4.tcp_migrate_req=1 and SO_REUSEPORT others get "
		       "them";
	case REMARK_INELIGIBLE + WORKER_LOST_TRACK:
		return "it has a connection on a descriptor above 65535, which is not tracked";
	case REMARK_INELIGIBLE + WORKER_OF_MODULE:
		return "it accepts on a Unix socket, as do helpers of modules, but no worker of this "
		       "server";
	case REMARK_BLOCKER + BLOCKER_FORBIDDEN:
		return "SL_LEAVE says so, or what is known of this server";
	case REMARK_BLOCKER + BLOCKER_SIGNAL_BLOCKED:
		return "it has that signal blocked; another SL_LEAVE may suit it";
	case REMARK_BLOCKER + BLOCKER_SIGNAL_UNHANDLED:
		return "it has no handler for that signal; another SL_LEAVE may suit it";
	case REMARK_BLOCKER + BLOCKER_ACCEPTING_THREADS:
		return "several of its threads accept, one of which may have done so just now; an SL_LEAVE "
		       "at accept may suit it";
	case REMARK_BLOCKER + BLOCKER_THREADS:
		return "for as long as it has several threads, one of which may have accepted just now; an "
		       "SL_LEAVE at accept may suit it";
	case REMARK_BLOCKER + BLOCKER_CHILDREN:
		return "for as long as it has a child process; an SL_LEAVE with a signal may suit it";
	case REMARK_BLOCKER + BLOCKER_CONNECTION:
		return "for as long as one of its descriptors is a connection to the listener's address; "
		       "an "
		       "SL_LEAVE with a signal may suit it";
	case REMARK_BLOCKER + BLOCKER_NO_PIPE:
		return "for as long as it has not exactly one pipe that may be httpd's pipe of death";
	case REMARK_IDLE + IDLE_SCHEDULED:
		return "for as long as it waits with a timeout, because then something is "
		       "scheduled; SL_LEAVE=_exit@idle says that it may be dropped";
	case REMARK_IDLE + IDLE_READY:
		return "for as long as each of its waits finds something to do; SL_LEAVE=_exit@idle says "
		       "that it may be dropped";
	case REMARK_IDLE + IDLE_THREAD:
		return "for as long as another of its threads is at work, or cannot be looked at; "
		       "SL_LEAVE=_exit@idle says that its work may be dropped";
	case REMARK_IDLE + IDLE_TIMER:
		return "for as long as it has a timer armed; SL_LEAVE=_exit@idle says that what it is for "
		       "may be dropped";
	case REMARK_IDLE + IDLE_REQUEST:
		return "for as long as a request of its own to another server is not answered; "
		       "SL_LEAVE=_exit@idle says that it may be dropped";
	case REMARK_STARTED_CHILDREN:
		return "for as long as it has a child process, whose master it may be";
	case REMARK_OPEN:
		return "for as long as it has connections open";
	case REMARK_NO_POINT:
		return "that moment has not come, because its closes or waits are not seen, or are in "
		       "signal handlers; an SL_LEAVE at accept may suit it";
	case REMARK_NO_PAGE:
		return "its master shares no memory with it";
	case REMARK_NO_SLOT:
		return "the pool has more than 4096 workers";
	case REMARK_ALONE:
		return "it is alone in its pool, and its master has not been seen to replace a worker";
	case REMARK_UNFILLED:
		return "nobody has come to accept in place of the one that left before, within "
		       "SL_REPLACE_TIMEOUT";
	case REMARK_NOT_GONE:
		return "it did not leave within SL_REPLACE_TIMEOUT; it is left alone";
	default:
		return NULL;
	}
}

void report_stay(unsigned remark, const struct exit_method *method)
{
	struct line line;

	start(&line);
	line_text(&line, " is over a limit and stays (its way out: ");
	exit_method_describe(method, &line);
	line_text(&line, "): ");
	line_text(&line, report_reason(remark));
	log_write(&line);
}

static const char *why_unwatched(unsigned remark)
{
	switch (remark) {
	case REMARK_UNSEEN:
		return "it was made by clone() or the like, of which nothing is seen, not by fork()";
	case REMARK_BLIND:
		return "it sees no /proc, as in a chroot without one, which would tell its memory and its "
		       "siblings";
	default:
		return "its parent is not seen to hold the listener that it inherited, and so is no master "
		       "that would replace it";
	}
}

void report_unwatched(unsigned remark)
{
	struct line line;

	start(&line);
	line_text(&line, " is not watched: ");
	line_text(&line, why_unwatched(remark));
	log_write(&line);
}

void report_lock(enum lock lock)
{
	static const char *const what[LOCKS] = {
	    [LOCK_MUTEX] = "there is a mutex that processes share",
	    [LOCK_SEMAPHORE] = "there is a semaphore that processes share",
	    [LOCK_SYSV_SEMAPHORE] = "it has taken a SysV semaphore without SEM_UNDO",
	    [LOCK_PIPE] = "it has both ends of a pipe that it did not make",
	    [LOCK_SOCKETPAIR] = "it has both ends of a socketpair that it did not make",
	    [LOCK_EVENTFD] = "it has an eventfd that it did not make",
	};
	struct line line;

	start(&line);
	line_text(&line, " leaves right after a close, not when it is idle: ");
	line_text(&line, what[lock]);
	line_text(&line, ", which may be a lock around accept; if not, SL_LEAVE=_exit@idle says so");
	log_write(&line);
}
