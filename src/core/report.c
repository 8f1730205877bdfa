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
		line_text(&line, "; the server may use ");
		quantity_write(&line, QUANTITY_RESIDENT, memory->bytes);
		line_text(&line, " of memory (");
		line_foreign(&line, memory->source);
		line_text(&line, ")");
	}
	line_text(&line, "; their exit method is ");
	exit_method_describe(method, &line);
	line_text(&line, " (");
	line_text(&line, whose);
	line_text(&line, ") and a replacement is expected within ");
	line_seconds(&line, replaced_within);
	if (is_tried)
		line_text(&line, "; one worker leaves on trial first, to see whether the master replaces "
		                 "it, unless SL_LEAVE=none is set");
	log_write(&line);
}

void report_unmeasurable(enum quantity quantity, const struct config *config)
{
	struct line line;

	start_about(&line, quantity_kinds[quantity].variable);
	line_text(&line, " has no effect: ");
	line_text(&line, quantity_kinds[quantity].name);
	line_text(&line, " cannot be measured on this system");
	if (config->probe != PROBE_AUTO)
		line_text(&line, " with this SL_PROBE");
	log_write(&line);
}

void report_unscaled(enum quantity quantity)
{
	struct line line;

	start_about(&line, quantity_kinds[quantity].variable);
	line_text(&line, " has no effect: it is a share of the memory, whose size is unknown on "
	                 "this system");
	log_write(&line);
}

void report_unlistened(void)
{
	struct line line;

	start(&line);
	line_text(&line, ": SL_LISTEN names none of the listeners that this server has now, so no "
	                 "connection counts");
	log_write(&line);
}

void report_no_status(const char *directory, const char *fault)
{
	struct line line;

	start(&line);
	line_text(&line, ": SL_STATUS=");
	line_foreign(&line, directory);
	line_text(&line, " has no effect: ");
	line_text(&line, fault);
	log_write(&line);
}

void report_pressure_unknown(void)
{
	struct line line;

	start(&line);
	line_text(&line, ": SL_PRESSURE has no effect: the kernel does not report memory pressure, so "
	                 "the limits always apply");
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
	line_text(&line, "; standard error is used instead");
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
	line_text(&line, ": slshim is off: no memory could be allocated that it would share with the "
	                 "workers");
	log_write(&line);
}

/* ----------------------------------------------------------------- leaving */

static void add_crossed(struct line *line, const struct leaving *leaving)
{
	const char *before = ", over ";

	if (leaving->is_asked)
		line_text(line, ", because the application asked it to");

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

/* Growth and the pool are told only where they have a limit, because elsewhere they are not
 * measured. Requests are told only where the application counts them. */
static void add_sample(struct line *line, const struct leaving *leaving)
{
	const struct sample *sample = &leaving->sample;
	const char *before = "; ";

	for (int q = 0; q < QUANTITIES; q++) {
		if ((q == QUANTITY_GROWTH || q == QUANTITY_POOL) && leaving->limit[q] == 0)
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
	if (leaving->drained > 0) {
		line_text(&line, "; drained for ");
		line_seconds(&line, leaving->drained);
	}
	if (leaving->open > 0) {
		line_text(&line, ", and left ");
		line_number(&line, leaving->open);
		line_text(&line, " connections open (SL_OVERDUE)");
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
	line_text(&line, ", ");
	line_number(&line, summary->lives);
	line_text(&line, " workers of this server would have left (SL_DRY_RUN)");
	if (summary->lives > 0) {
		line_text(&line, ", after ");
		line_number(&line, summary->connections / summary->lives);
		line_text(&line, " connections and ");
		line_seconds(&line, summary->milliseconds / summary->lives);
		line_text(&line, " on average");
	}
	log_write(&line);
}

/* "SL_MAX_RSS=12315K", as it may be set: with a quarter to spare. */
static void suggest(struct line *line, enum quantity quantity, uint64_t value)
{
	const struct quantity_kind *kind = &quantity_kinds[quantity];
	uint64_t limit = kind->is_floor ? value - value / 4 : value + value / 4;

	line_text(line, kind->variable);
	line_text(line, "=");
	line_number(line, kind->unit == UNIT_BYTES ? (limit + 1023) / 1024 : limit);
	line_text(line, kind->unit == UNIT_BYTES ? "K" : "");
}

void report_exempted(unsigned remark, const struct leaving *leaving)
{
	const char *before = "; try ";
	struct line line;

	start(&line);
	line_text(&line, remark == REMARK_NEWBORN
	                     ? " stays, because it crossed a limit before it served anything, and so "
	                       "would its replacement"
	                     : " stays, because it crossed a limit within its first connections, as "
	                       "the workers before it did");
	add_crossed(&line, leaving);
	for (int q = 0; q < QUANTITIES; q++)
		if (leaving->crossed >> q & 1) {
			line_text(&line, before);
			suggest(&line, (enum quantity)q, leaving->sample.value[q]);
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
		return "no master forked it";
	case REMARK_INELIGIBLE + WORKER_ORPHAN:
		return "its parent is gone, so no master would replace it";
	case REMARK_INELIGIBLE + WORKER_BESIDE_PARENT:
		return "its parent accepts as well, so the parent is not a master that would replace it";
	case REMARK_INELIGIBLE + WORKER_HAS_WORKERS:
		return "its own children are workers, and it is their master";
	case REMARK_INELIGIBLE + WORKER_OWN_LISTENER:
		return "it accepts on a socket that it opened itself, and the backlog of that socket would "
		       "be lost; with an SL_LEAVE, net.ipv4.tcp_migrate_req=1 and SO_REUSEPORT, other "
		       "sockets take the backlog over";
	case REMARK_INELIGIBLE + WORKER_LOST_TRACK:
		return "it has a connection on a descriptor above 65535, and slshim does not track those";
	case REMARK_INELIGIBLE + WORKER_UNKNOWN_LISTENER:
		return "it accepts on a descriptor above 8191, and slshim does not track listeners there";
	case REMARK_INELIGIBLE + WORKER_OF_MODULE:
		return "it accepts on a Unix socket, as helpers of modules do and workers of this server "
		       "do not";
	case REMARK_BLOCKER + BLOCKER_FORBIDDEN:
		return "SL_LEAVE, or the profile of this server, forbids it to leave";
	case REMARK_BLOCKER + BLOCKER_SIGNAL_BLOCKED:
		return "it blocks the signal of its exit method; another SL_LEAVE may work";
	case REMARK_BLOCKER + BLOCKER_SIGNAL_UNHANDLED:
		return "it has no handler for the signal of its exit method; another SL_LEAVE may work";
	case REMARK_BLOCKER + BLOCKER_ACCEPTING_THREADS:
		return "several of its threads accept, and one of them may have accepted a connection "
		       "just now; an SL_LEAVE with @accept may work";
	case REMARK_BLOCKER + BLOCKER_THREADS:
		return "for as long as another of its threads runs, because that may have accepted a "
		       "connection just now; an SL_LEAVE with @accept may work";
	case REMARK_BLOCKER + BLOCKER_CHILDREN:
		return "for as long as it has a child process; an SL_LEAVE with a signal may work";
	case REMARK_BLOCKER + BLOCKER_CONNECTION:
		return "for as long as one of its descriptors is a connection to the listener's address; "
		       "an SL_LEAVE with a signal may work";
	case REMARK_BLOCKER + BLOCKER_NO_PIPE:
		return "for as long as it does not have exactly one pipe that may be httpd's pipe of death";
	case REMARK_IDLE + IDLE_SCHEDULED:
		return "for as long as it waits with a timeout, because that means that work is "
		       "scheduled; set SL_LEAVE=_exit@idle if that work may be dropped";
	case REMARK_IDLE + IDLE_READY:
		return "for as long as each of its waits finds work to do; set SL_LEAVE=_exit@idle if "
		       "that work may be dropped";
	case REMARK_IDLE + IDLE_THREAD:
		return "for as long as another of its threads is at work, or cannot be inspected; set "
		       "SL_LEAVE=_exit@idle if the work of that thread may be dropped";
	case REMARK_IDLE + IDLE_TIMER:
		return "for as long as it has a timer armed; set SL_LEAVE=_exit@idle if the work that the "
		       "timer starts may be dropped";
	case REMARK_IDLE + IDLE_REQUEST:
		return "for as long as a request that it made to another server is not answered; set "
		       "SL_LEAVE=_exit@idle if that request may be dropped";
	case REMARK_STARTED_CHILDREN:
		return "for as long as it has a child process, because it may be the master of that "
		       "process";
	case REMARK_OPEN:
		return "for as long as it has connections open";
	case REMARK_CANNOT_DRAIN:
		return "its exit method loses connections unless it stops accepting first, and it cannot: "
		       "that takes another worker that accepts, a listener that does not block, and an "
		       "SL_DRAIN_TIMEOUT that is not 0";
	case REMARK_OVERDUE:
		return "it stopped accepting, but its connections stayed open for SL_DRAIN_TIMEOUT, so it "
		       "accepts again and another worker may leave; with SL_OVERDUE=leave it would leave "
		       "by its exit method";
	case REMARK_NO_POINT:
		return "it has not come to its exit point, because its closes or waits are not seen, or "
		       "are in signal handlers; an SL_LEAVE with @accept may work";
	case REMARK_NO_PAGE:
		return "there is no memory that it shares with its pool, so it cannot wait for its turn";
	case REMARK_NO_SLOT:
		return "the pool has more than 4096 workers";
	case REMARK_ALONE:
		return "it is alone in its pool, and its master has not been seen to replace a worker";
	case REMARK_UNFILLED:
		return "no new worker came to accept within SL_REPLACE_TIMEOUT after one had left";
	case REMARK_NOT_GONE:
		return "it did not leave within SL_REPLACE_TIMEOUT after it was told to, and it is not "
		       "told again";
	default:
		return NULL;
	}
}

void report_stay(unsigned remark, const struct exit_method *method)
{
	struct line line;

	start(&line);
	line_text(&line, " is over a limit and stays (exit method ");
	exit_method_describe(method, &line);
	line_text(&line, "): ");
	line_text(&line, report_reason(remark));
	log_write(&line);
}

void report_unmeasured(void)
{
	struct line line;

	start(&line);
	line_text(&line, " can no longer read its figures in /proc, as in a chroot, so limits on its "
	                 "memory have no effect");
	log_write(&line);
}

static const char *why_unwatched(unsigned remark)
{
	switch (remark) {
	case REMARK_UNSEEN:
		return "it was made by clone() or the like, which slshim does not see, not by fork()";
	case REMARK_BLIND:
		return "neither /proc nor pidfd_open() shows it whether its siblings live";
	case REMARK_NO_MASTER:
		return "it accepts connections itself and no master forked it, so nobody would replace it; "
		       "run it with a master and workers, which may take a setting of the server";
	case REMARK_PASSED_BY:
		return "it accepts connections in a way that slshim does not see, such as io_uring, a raw "
		       "system call or a library opened with RTLD_DEEPBIND; have the server accept by "
		       "the C library's accept() or accept4()";
	default:
		return "its parent is not seen to hold the listener that it inherited, so the parent is "
		       "not a master that would replace it";
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

void report_left_out(const struct config *config)
{
	struct line line;

	start(&line);
	line_text(&line, " and its siblings are left alone, because SL_ONLY=");
	for (unsigned i = 0; i < config->onlys; i++) {
		line_text(&line, i == 0 ? "" : ",");
		line_foreign(&line, config->only[i]);
	}
	line_text(&line, " does not match its name; add ");
	line_foreign(&line, program_name());
	line_text(&line, " if they are to be recycled, too");
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
	line_text(&line, ", which may be a lock around accept; if it is not, set "
	                 "SL_LEAVE=_exit@idle");
	log_write(&line);
}
