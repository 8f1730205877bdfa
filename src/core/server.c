/* server.c - see server.h. */
#include "core/server.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "core/binding.h"
#include "core/report.h"
#include "core/worker.h"
#include "leave/exit_plan.h"
#include "leave/perl.h"
#include "leave/profile.h"
#include "leave/program.h"
#include "limits/meter.h"
#include "limits/policy.h"
#include "log/log.h"
#include "os/hot.h"
#include "os/page_policy.h"
#include "os/process.h"
#include "os/socket_address.h"
#include "pool/header.h"
#include "pool/page_file.h"

struct server server;

EARLY _Atomic bool server_is_asleep;

/* The variables, and behind them the command line. */
EARLY static struct config_copy kept;
EARLY static const char *command;
EARLY static size_t command_size;
EARLY static char usual_room[768];
static char variables_room[CONFIG_ROOM], command_room[PROGRAM_ROOM]; /* where that is too small */

static struct remarks remarks;
static bool looked_for_listeners, reported_remarks, announced;
static int thp_error, ksm_error;
static const char *status_fault; /* why SL_STATUS has no effect; NULL: it has */

static bool is_named_by_profile(void)
{
	const struct profile *profile = profile_find();

	return profile != NULL && profile_is_of_started(profile) &&
	       profile->method.action != ACTION_NONE;
}

/* A wrong value has to be reported by some process, also where it is that of SL_LEAVE. */
static bool is_named_by_user(void)
{
	return server.config.onlys > 0 &&
	       (server.config.leave.action != ACTION_UNSPECIFIED || remarks.errors > 0);
}

/* Workers that are started by execve are told from other programs by name, a profile's or the
 * user's, and by the listener that they inherit. A program that only the user names may be
 * anything: where its parent does not hold that listener, the parent is no master, and what waits
 * there would be lost with this process. 0: nobody started it as a worker. */
static pid_t find_starter(void)
{
	if (!is_named_by_profile() && !is_named_by_user())
		return 0;
	looked_for_listeners = true;
	worker_find_listeners();
	if (!worker_has_listener())
		return 0;
	server.parent_lacks_listener =
	    !is_named_by_profile() && !worker_shares_listener_with(getppid());
	return server.parent_lacks_listener ? 0 : getppid();
}

static void say_what_is_unmeasurable(void)
{
	struct meter meter = METER_CLOSED;
	struct sample sample = {.known = 0};

	meter_read(&meter, server.config.probe, policy_limited(server.config.limit), &sample);
	sample_set(&sample, QUANTITY_CONNECTIONS, 0);
	sample_set(&sample, QUANTITY_REQUESTS, 0);
	sample_set(&sample, QUANTITY_AGE, 0);
	if (sample_knows(&sample, QUANTITY_PROPORTIONAL))
		sample_set(&sample, QUANTITY_POOL, 0);
	meter_end(&meter);
	for (int q = 0; q < QUANTITIES; q++)
		if (server.config.limit[q] > 0 && !sample_knows(&sample, (enum quantity)q))
			report_unmeasurable((enum quantity)q, &server.config);
		else if (server.config.limit[q] == 0 && server.config.percent[q] > 0)
			report_unscaled((enum quantity)q);
}

static void say_what_the_kernel_refused(void)
{
	if (server.config.pressure > 0 && server.pressure_path[0] == '\0')
		report_pressure_unknown();
	if (thp_error != 0)
		report_refused("SL_THP", thp_error);
	if (ksm_error != 0)
		report_refused("SL_KSM", ksm_error);
}

static bool has_something_to_say(void)
{
	return remarks.errors + remarks.warnings + kept.others > 0;
}

static void say_remarks(void)
{
	int error;

	if (reported_remarks)
		return;
	reported_remarks = true;
	config_warn_of_unknown(&remarks, &kept);
	error = log_open();
	if (error != 0)
		report_log_failure(server.config.log_path, error);
	report_remarks(&remarks);
}

bool server_watches_listener(int listener)
{
	struct socket_address address;

	return socket_address_find(listener, &address) && config_watches(&server.config, &address);
}

static bool is_any_listener_watched(void)
{
	for (int fd = 0; fd < worker.listener_end; fd++)
		if (worker_knows_listener(fd) && server_watches_listener(fd))
			return true;
	return false;
}

static void describe_listeners(struct line *line)
{
	struct socket_address address;

	line_start(line);
	for (int fd = 0; fd < worker.listener_end; fd++)
		if (worker_knows_listener(fd) && server_watches_listener(fd) &&
		    socket_address_find(fd, &address)) {
			line_text(line, line->used > 0 ? " " : "");
			socket_address_describe(&address, line);
		}
}

/* Only its readers use this: the workers know it by themselves. */
static void introduce_page(const struct exit_plan *plan, pid_t master)
{
	struct line settings, method, listeners;

	describe_listeners(&listeners);
	line_start(&settings);
	config_describe(&server.config, &settings);
	line_start(&method);
	exit_method_describe(&plan->method, &method);
	pool_introduce(server.page, &(struct pool_introduction){
	                                .program = program_name(),
	                                .method = method.text,
	                                .whose = plan->whose,
	                                .settings = settings.text,
	                                .listeners = listeners.text,
	                                .replaced_within = plan->replaced_within,
	                                .flags = (plan->master_is_vouched ? POOL_IS_VOUCHED : 0) |
	                                         (server.config.dry_run ? POOL_IS_DRY_RUN : 0) |
	                                         (worker.is_started ? POOL_IS_OF_STARTED : 0),
	                                .limit = server.config.limit,
	                                .limits = QUANTITIES,
	                                .master_start_time = process_start_time(master),
	                                .reason = report_reason,
	                                .now = process_clock(),
	                                .master = master,
	                            });
}

static void say_limits(void)
{
	struct exit_plan plan = exit_plan_find(&server.config, worker.is_started);

	if (server.page != NULL)
		introduce_page(&plan, getpid());

	report_limits(&server.config, &server.memory, &plan.method, plan.whose, plan.replaced_within,
	              plan.method.action != ACTION_NONE && !plan.master_is_vouched);
	say_what_is_unmeasurable();
	say_what_the_kernel_refused();
	if (status_fault != NULL)
		report_no_status(server.config.status, status_fault);
	if (server.config.listens > 0 && !is_any_listener_watched())
		report_unlistened();
	if (server.page == NULL)
		report_no_page();
}

void server_announce(void)
{
	if (announced)
		return;
	announced = true;
	if (server.page != NULL && !pool_report_once(server.page, REMARK_LIMITS))
		return;
	say_remarks();
	if (!server.is_on)
		return;
	say_limits();
	binding_complete();
}

/* It is one of many that know nothing of each other, so it says what is wrong and no more. It may
 * be allowed now to open a log that it may not open later. Siblings that share a page introduce the
 * same to its readers. */
static void introduce_started(void)
{
	struct exit_plan plan;

	say_remarks();
	if (!server.is_on)
		return;
	say_what_is_unmeasurable();
	if (server.page == NULL || pool_is_readable(server.page, sizeof *server.page))
		return;
	plan = exit_plan_find(&server.config, true);
	introduce_page(&plan, worker.forker);
}

void server_report_lacking_parent(void)
{
	if (!server.parent_lacks_listener)
		return;
	say_remarks();
	report_unwatched(REMARK_PARENT_LACKS_LISTENER);
}

void server_report_no_master(void)
{
	if (server.page != NULL && !pool_report_once(server.page, REMARK_NO_MASTER))
		return;
	say_remarks();
	report_unwatched(REMARK_NO_MASTER);
}

static void share_page(void)
{
	int saved = errno;

	if (server.page != NULL)
		return;
	if (server.config.status[0] != '\0')
		server.page = page_file_publish(server.config.status, (mode_t)server.config.status_mode,
		                                sizeof *server.page, &status_fault);
	if (server.page == NULL)
		server.page = pool_create();
	if (server.page != NULL)
		log_share(&server.page->lost, worker.is_started ? NULL : &server.page->mail);
	errno = saved;
}

/* Also where the variables are not read yet, because each child may make its own listener. */
static void make_page(void)
{
	if (server.is_on || (server_is_asleep && kept.may_limit))
		share_page();
}

/* The page is where its workers agree on who says so; until one does it takes address space only.
 */
static void before_left_out_fork(void)
{
	if (server.page == NULL && worker_has_listener()) {
		log_open();
		share_page();
	}
	if (server.page != NULL)
		log_tend();
}

bool server_may_be_missed(void)
{
	return server.is_left_out && server.page != NULL;
}

/* Only a worker: an orphan is a server of its own, and so is who made its listener. */
void server_report_left_out(int listener)
{
	if (worker_ineligibility() == WORKER_IS_ELIGIBLE && worker_shares(listener) &&
	    pool_report_once(server.page, REMARK_LEFT_OUT))
		report_left_out(&server.config);
}

/* A worker that was started by execve finds its siblings by a file, or has no page; but one of a
 * master that a profile names need not find them. */
static void make_page_of_started(void)
{
	const struct profile *profile = profile_find();

	if (profile != NULL && profile_is_of_started(profile))
		make_page();
	else if (server.is_on)
		server.page = page_file_map("/dev/shm", worker.forker, worker_common_listener(-1),
		                            sizeof *server.page);
}

/* A process that has accepted on an inherited listener serves by itself: its children are not
 * workers. */
void server_before_fork(void)
{
	int saved = errno;
	bool serves = worker.listener >= 0;

	worker_before_fork();
	if (server.is_left_out)
		before_left_out_fork();
	if (!server_is_asleep && !server.is_on && !has_something_to_say())
		return;
	if (!announced && !serves)
		server_has_listener();
	make_page();
	if (!serves && !server_is_asleep && worker_has_listener())
		profile_note_loaded();
	if (!announced && !(serves && worker.is_started) && worker_has_listener())
		server_announce();
	if (!serves && (announced || reported_remarks))
		log_tend();
	errno = saved;
}

static bool is_asked_about(void)
{
	for (unsigned i = 0; i < server.config.onlys; i++)
		if (program_is(server.config.only[i]))
			return true;
	return server.config.onlys == 0;
}

/* Before the program allocates anything; its children inherit it. */
static void keep_pages_shareable(void)
{
	if (server.config.thp_never)
		thp_error = page_policy_no_huge();
	if (server.config.ksm)
		ksm_error = page_policy_merge();
}

enum limit_answer server_read_limit(const char *variable, const char *value,
                                    enum quantity *quantity, uint64_t *limit)
{
	unsigned percent;

	if (!config_read_limit(variable, value, quantity, limit, &percent))
		return LIMIT_IS_REFUSED;
	if (percent == 0)
		return LIMIT_IS_READ;
	if (server.memory.bytes == 0 && !machine_memory("", &server.memory))
		return LIMIT_IS_UNSCALED;
	*limit = config_share(percent, server.memory.bytes);
	return LIMIT_IS_READ;
}

void server_limit(enum quantity quantity, uint64_t limit)
{
	server.config.limit[quantity] = limit;
	server.config.percent[quantity] = 0;
}

void server_check_every(uint64_t connections)
{
	server.config.check_every = connections;
}

static void ask_machine(void)
{
	if (config_has_share(&server.config) && machine_memory("", &server.memory))
		config_scale(&server.config, server.memory.bytes);
	if (server.config.pressure > 0 && !machine_pressure_path("", server.pressure_path))
		server.pressure_path[0] = '\0';
}

static void keep_command(char *const words[])
{
	size_t used = kept.text == usual_room ? kept.size : 0, left = sizeof usual_room - used;

	command = usual_room + used;
	command_size = program_copy(usual_room + used, left, words);
	if (command_size < left)
		return;
	command = command_room;
	command_size = program_copy(command_room, sizeof command_room, words);
}

bool server_start(char *const environment[], char *const words[])
{
	config_copy(&kept, usual_room, sizeof usual_room, environment);
	if (kept.size == 0 && !kept.is_cut)
		return false;
	if (kept.is_cut)
		config_copy(&kept, variables_room, sizeof variables_room, environment);
	keep_command(words);
	log_remember_standard_error();
	worker_start(0, 0);
	server_is_asleep = true;
	return true;
}

bool server_cannot_wait(void)
{
	return kept.cannot_wait || profile_is_started(program_image(command));
}

bool server_has_listener(void)
{
	if (!looked_for_listeners)
		worker_find_listeners();
	looked_for_listeners = true;
	return worker_has_listener();
}

static bool has_business(void)
{
	return (config_has_limit(&server.config) || server.config.application) && remarks.errors == 0;
}

static void read_variables(void)
{
	config_read(&server.config, &remarks, &kept);
	program_set(program_image(command), command, command_size);
	if (process_is_privileged() || !is_asked_about()) {
		server.is_left_out = !process_is_privileged() && has_business();
		kept.others = 0;
		remarks = (struct remarks){.errors = 0};
		return;
	}
	server.is_on = has_business();
}

/* Of a process that was not forked since it was started; boot clock, milliseconds. */
static uint64_t find_birth(void)
{
	uint64_t birth = process_birth();

	return birth > 0 ? birth : process_clock();
}

bool server_wake(bool at_start)
{
	read_variables();
	if (server.is_left_out)
		log_start(server.config.log, server.config.log_path);
	if (!server.is_on && !has_something_to_say())
		return false;
	if (server.is_on) {
		ask_machine();
		keep_pages_shareable();
	}
	profile_start();
	perl_start();
	log_start(server.config.log, server.config.log_path);
	if (!at_start) {
		if (worker.life.born == 0)
			worker.life.born = find_birth();
		return true;
	}
	worker_start(find_starter(), process_clock());
	if (worker.is_started) {
		make_page_of_started();
		introduce_started();
	}
	return true;
}

void server_before_listen(void)
{
	enum { CONFIGURATION_ERROR = 78 }; /* EX_CONFIG of sysexits.h */

	if (remarks.errors == 0 || !server.config.strict)
		return;
	say_remarks();
	_exit(CONFIGURATION_ERROR);
}

void server_listens(int fd)
{
	if (server.is_on || server.is_left_out || has_something_to_say())
		worker_listens(fd);
	make_page(); /* for workers that no fork will make */
}
