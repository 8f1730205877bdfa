/* server.c - settles things for all workers. See server.h for what it may not know. */
#include "server.h"

#include <errno.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "log.h"
#include "meter.h"
#include "perl.h"
#include "process.h"
#include "profile.h"
#include "program.h"
#include "report.h"
#include "worker.h"

struct server server;

static struct remarks remarks;
static bool looked_for_listeners, announced;

/* Workers that are started by execve are told from masters by name: a profile's, or the user's. */
static bool is_started_by_master(void)
{
	const struct profile *profile = profile_find();

	return (profile != NULL && profile->is_started) ||
	       (server.config.onlys > 0 && server.config.leave.deed != DEED_UNSAID);
}

struct departure server_departure(void)
{
	enum { REPLACED_WITHIN = 10000 };
	const struct profile *profile = profile_find();
	struct departure departure = {.way = server.config.leave, .replaced_within = REPLACED_WITHIN};

	if (profile != NULL) {
		departure.is_known = true;
		departure.master_is_vouched = profile->way.deed != DEED_NONE;
		departure.is_tcp_only = profile->is_tcp_only;
		if (profile->replaced_within > 0)
			departure.replaced_within = profile->replaced_within;
	}
	if (is_started_by_master())
		departure.master_is_vouched = true;
	if (server.config.replace_timeout > 0)
		departure.replaced_within = server.config.replace_timeout;
	if (server.config.leave.deed != DEED_UNSAID) {
		departure.whose = "SL_LEAVE";
	} else if (profile != NULL) {
		departure.whose = profile->title;
		departure.way_is_vouched = true;
		departure.takes_time = profile->takes_time;
		departure.refuses_for = profile->refuses_for;
		departure.way = profile->way;
	} else {
		departure.whose = "by default";
		departure.is_default = true;
		departure.way = (struct way){.deed = DEED_QUICKEXIT, .moment = MOMENT_IDLE};
	}
	return departure;
}

static void announce_limits(void)
{
	struct departure departure = server_departure();
	struct sample sample = {.known = 0};

	report_limits(&server.config, &departure.way, departure.whose, departure.replaced_within);
	meter_read(server.config.probe, server.wanted, &sample);
	sample_set(&sample, QUANTITY_CONNECTIONS, 0);
	for (int q = 0; q < QUANTITIES; q++)
		if (server.config.limit[q] > 0 && !sample_knows(&sample, (enum quantity)q))
			report_unmeasurable((enum quantity)q, &server.config);
}

void server_announce(void)
{
	int error;

	if (announced)
		return;
	announced = true;
	if (server.page != NULL && !pool_say_once(server.page, REMARK_LIMITS))
		return;
	error = log_open();
	if (error != 0)
		report_log_failure(server.config.log_path, error);
	report_remarks(&remarks);
	if (!server.is_on)
		return;
	announce_limits();
	if (server.page == NULL)
		report_no_page();
}

static void make_page(void)
{
	int saved = errno;

	if (server.is_on && server.page == NULL)
		server.page = pool_create();
	errno = saved;
}

void server_before_fork(void)
{
	int saved = errno;

	worker_before_fork();
	if (!announced && !looked_for_listeners) {
		looked_for_listeners = true;
		worker_find_listeners();
	}
	make_page();
	if (!announced && worker_has_listener())
		server_announce();
	errno = saved;
}

static bool is_asked_about(void)
{
	for (unsigned i = 0; i < server.config.onlys; i++)
		if (program_is(server.config.only[i]))
			return true;
	return server.config.onlys == 0;
}

bool server_start(char *const environment[])
{
	if (getauxval(AT_SECURE) || !config_is_asked_for(environment))
		return false;
	config_read(&server.config, &remarks, environment);
	program_start();
	if (!is_asked_about())
		return false;
	server.is_on = config_has_limit(&server.config) && remarks.errors == 0;
	if (!server.is_on && remarks.errors + remarks.warnings == 0)
		return false;
	for (int q = 0; q < QUANTITIES; q++)
		if (server.config.limit[q] > 0)
			server.wanted |= 1u << q;
	profile_start();
	perl_start();
	worker_start(is_started_by_master() ? getppid() : 0, process_clock());
	if (is_started_by_master())
		make_page();
	log_start(server.config.log, server.config.log_path);
	return true;
}

void server_before_listen(void)
{
	enum { CONFIGURATION_ERROR = 78 }; /* EX_CONFIG of sysexits.h */

	if (remarks.errors == 0 || !server.config.strict)
		return;
	log_open();
	report_remarks(&remarks);
	_exit(CONFIGURATION_ERROR);
}

void server_listens(int fd)
{
	if (server.is_on || remarks.errors + remarks.warnings > 0)
		worker_listens(fd);
	make_page(); /* for workers that no fork will make */
}
