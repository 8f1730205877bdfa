/* profile.c - the known servers. See profile.h for what it may not know. */
#include "leave/profile.h"

#include <signal.h>
#include <string.h>

#include "leave/program.h"

/* httpd's own question to its processing model, from its public ap_mpm.h; the main program
 * exports it. Other programs are named httpd too: they do not have it. */
static int (*ap_mpm_query)(int code, int *result);

enum httpd_model { HTTPD_NONE, HTTPD_PREFORK, HTTPD_THREADED };

/* The prefork model answers "not supported" (0) when asked for threads. */
static enum httpd_model httpd_model(void)
{
	enum { AP_MPMQ_IS_THREADED = 2, SUCCESS = 0 };
	int threads = 0;

	if (ap_mpm_query == NULL || ap_mpm_query(AP_MPMQ_IS_THREADED, &threads) != SUCCESS)
		return HTTPD_NONE;
	return threads == 0 ? HTTPD_PREFORK : HTTPD_THREADED;
}

/* The value of an option of uWSGI's, wherever it was set, from its public uwsgi.h; NULL if it was
 * not. */
static char *(*uwsgi_get_exported_opt)(const char *name);

static bool is_uwsgi_threaded(void)
{
	const char *threads = uwsgi_get_exported_opt != NULL ? uwsgi_get_exported_opt("threads") : NULL;

	return threads != NULL && strcmp(threads, "1") != 0;
}

static bool is_answered(enum profile_question question)
{
	switch (question) {
	case IS_HTTPD_PREFORK:
		return httpd_model() == HTTPD_PREFORK;
	case IS_HTTPD_THREADED:
		return httpd_model() == HTTPD_THREADED;
	case IS_UWSGI_THREADED:
		return is_uwsgi_threaded();
	default:
		return true;
	}
}

#define HTTPD                                                                                      \
	{                                                                                              \
		"httpd", "apache2"                                                                         \
	}
#define SIGNAL(name, point)                                                                        \
	{                                                                                              \
		ACTION_SIGNAL, SIG##name, POINT_##point, 0                                                 \
	}
#define EXIT(ending, point)                                                                        \
	{                                                                                              \
		ACTION_EXIT, 0, POINT_##point, ending                                                      \
	}
#define POD(point)                                                                                 \
	{                                                                                              \
		ACTION_PIPE_OF_DEATH, 0, POINT_##point, 0                                                  \
	}
#define STAY                                                                                       \
	{                                                                                              \
		ACTION_NONE, 0, POINT_CLOSE, 0                                                             \
	}

/* The first that fits counts. */
static const struct profile profiles[] = {
    /* SIGUSR1 makes a child finish its connection, run its cleanups and exit with status 0. The
     * master looks once a second for what is missing, and replaces nobody while enough idle. */
    {"httpd prefork", HTTPD, .question = IS_HTTPD_PREFORK, .method = SIGNAL(USR1, CLOSE),
     .is_tcp_only = true, .replaced_within = 2000},
    /* No signal makes a threaded one leave, and it is hardly ever idle. */
    {"httpd worker, event", HTTPD, .question = IS_HTTPD_THREADED, .method = POD(ACCEPT),
     .takes_time = true, .is_tcp_only = true, .replaced_within = 2000},
    /* At accept: what runs after fastcgi_finish_request() is done by then. */
    {"php-fpm", {"php-fpm*"}, .method = SIGNAL(QUIT, ACCEPT)},
    /* Its wake-ups are for one worker each: at accept that of a connection would be lost. */
    {"nginx", {"nginx"}, .method = SIGNAL(QUIT, CLOSE)},
    /* It cancels its threads wherever they are, and may hang when it exits, for what they had
     * locked: so also when it recycles by itself. */
    {"uWSGI with threads", {"uwsgi*"}, .question = IS_UWSGI_THREADED, .method = STAY},
    /* At accept it holds its lock. */
    {"uWSGI", {"uwsgi*"}, .method = SIGNAL(HUP, CLOSE), .may_lack_master = true},
    {"lighttpd", {"lighttpd"}, .method = SIGNAL(INT, ACCEPT)},
    /* Up to 1.1.0 its master replaces nobody before all are gone, and spins until then. */
    {"fcgiwrap", {"fcgiwrap"}, .method = STAY},
    /* It ends when it has started what it starts. */
    {"spawn-fcgi", {"spawn-fcgi"}, .method = STAY},
    /* Those of gevent finish what is open, and say "Connection: close" from then on; they look
     * once a second whether they are to. gevent_pywsgi and others do not: so by the full name. */
    {"gunicorn gevent",
     {"gunicorn*"},
     "gevent",
     .method = SIGNAL(TERM, ACCEPT),
     .takes_time = true},
    {"gunicorn gevent",
     {"gunicorn*"},
     "--worker-class=gevent",
     .method = SIGNAL(TERM, ACCEPT),
     .takes_time = true},
    {"gunicorn", {"gunicorn*"}, .method = SIGNAL(TERM, ACCEPT)},
    {"unicorn", {"unicorn", "unicorn_rails"}, .method = SIGNAL(QUIT, CLOSE)},
    /* Its main thread takes the signal, another one accepts; a connection that it has no whole
     * request from when it stops, it closes. */
    {"puma", {"puma"}, .method = SIGNAL(TERM, ACCEPT), .refuses_for = 1000},
    /* Where it serves nobody, its handler runs child_finish_hook and exits. */
    {"Starman", {"starman"}, .method = SIGNAL(HUP, ACCEPT)},
    {"Starman", {"plackup"}, "*Starman", .method = SIGNAL(HUP, ACCEPT)},
    /* It looks at what its handler noted before it locks and accepts. */
    {"Starlet", {"plackup"}, "*Starlet", .method = SIGNAL(TERM, CLOSE)},
    /* A child handles no signal; once it has reported that it is idle its master relies on it. */
    {"spamd", {"spamd"}, .method = EXIT(0, CLOSE)},
    {"Postfix smtpd", {"smtpd"}, .method = EXIT(0, ACCEPT), .master = "*/postfix/*master"},
    /* As after its child_max_connections: its master replaces who ends with that status only. It
     * waits in select, and takes its lock around it with SEM_UNDO. */
    {"pgpool-II", {"pgpool"}, .method = EXIT(1, IDLE)},
    /* Its exit aborts; it has a service_count of its own. */
    {"Dovecot",
     {"imap-login", "pop3-login", "imap", "pop3", "lmtp"},
     .method = STAY,
     .master = "*dovecot"},
    {"haproxy", {"haproxy"}, .method = STAY},
    /* Its master ends when any of its children does. */
    {"krb5kdc", {"krb5kdc"}, .method = STAY},
    /* Its master never replaces one. */
    {"php -S", {"php*"}, "-S*", .method = STAY},
};
enum { PROFILES = sizeof profiles / sizeof *profiles };

static bool may_fit[PROFILES];
static const struct profile *started;

static bool has_name(const struct profile *profile)
{
	for (int i = 0; i < PROFILE_NAMES && profile->names[i][0] != '\0'; i++)
		if (program_is(profile->names[i]))
			return true;
	return false;
}

static void look_up_symbols(void)
{
	program_look_up("ap_mpm_query", &ap_mpm_query);
	program_look_up("uwsgi_get_exported_opt", &uwsgi_get_exported_opt);
}

void profile_start(void)
{
	bool asks = false;

	started = NULL;
	for (int i = 0; i < PROFILES; i++) {
		const struct profile *profile = &profiles[i];

		may_fit[i] = has_name(profile) &&
		             (profile->argument[0] == '\0' || program_has_argument(profile->argument));
		asks = asks || (may_fit[i] && profile->question != ASK_NOTHING);
		if (profile_is_of_started(profile) && program_was_started_as(profile->master))
			started = profile;
	}
	if (asks) /* a look-up that fails allocates: only in programs that may have the symbol */
		look_up_symbols();
}

/* Byte by byte: a call of the C library would have to be looked up at every start. */
static bool is_same(const char *one, const char *other)
{
	while (*one == *other && *one != '\0') {
		one++;
		other++;
	}
	return *one == *other;
}

bool profile_is_started(const char *name)
{
	for (int i = 0; i < PROFILES; i++)
		for (int n = 0; profile_is_of_started(&profiles[i]) && n < PROFILE_NAMES; n++)
			if (profiles[i].names[n][0] != '\0' && is_same(profiles[i].names[n], name))
				return true;
	return false;
}

const struct profile *profile_find(void)
{
	for (int i = 0; i < PROFILES; i++)
		if (may_fit[i] && is_answered(profiles[i].question))
			return &profiles[i];
	return NULL;
}

const struct profile *profile_find_started(void)
{
	return started;
}

const struct profile *profile_row(size_t index)
{
	return index < PROFILES ? &profiles[index] : NULL;
}
