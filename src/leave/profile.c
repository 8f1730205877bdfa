/* profile.c - the known servers. */
#include "leave/profile.h"

#include <signal.h>
#include <string.h>

#include "leave/program.h"
#include "os/image.h"

enum httpd_model { HTTPD_NONE, HTTPD_PREFORK, HTTPD_THREADED };

/* The function, declared in httpd's public ap_mpm.h, tells modules the processing model. The
 * prefork model answers "not supported" (0) when asked for threads. */
static enum httpd_model httpd_model(void)
{
	enum { AP_MPMQ_IS_THREADED = 2, SUCCESS = 0 };
	int (*query)(int code, int *result), threads = 0;

	if (!image_look_up("ap_mpm_query", &query) || query(AP_MPMQ_IS_THREADED, &threads) != SUCCESS)
		return HTTPD_NONE;
	return threads == 0 ? HTTPD_PREFORK : HTTPD_THREADED;
}

/* The function, declared in uWSGI's public uwsgi.h, returns the value of an option, wherever it was
 * set, or NULL. */
static bool is_uwsgi_threaded(void)
{
	char *(*get_option)(const char *name);
	const char *threads =
	    image_look_up("uwsgi_get_exported_opt", &get_option) ? get_option("threads") : NULL;

	return threads != NULL && strcmp(threads, "1") != 0;
}

/* The variable, declared in PHP's public SAPI.h, is a structure that begins with the name of what
 * PHP serves: "fpm-fcgi", "cli", "cli-server", ... */
static bool php_serves(const char *wanted)
{
	const char *const *name;

	return image_look_up("sapi_module", &name) && *name != NULL && strcmp(*name, wanted) == 0;
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
	case IS_PHP_FPM:
		return php_serves("fpm-fcgi");
	case IS_PHP_SERVER:
		return php_serves("cli-server");
	default:
		return true;
	}
}

#define HTTPD            .exports = "ap_mpm_query"
#define UWSGI            .exports = "uwsgi_get_exported_opt"
#define PHP              .exports = "php_module_startup"
#define LOADED(in, what) .language = in, .loaded = (what)
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

/* The first row that matches counts. */
static const struct profile profiles[] = {
    /* After SIGUSR1 a child finishes its connection, runs its cleanups and exits with status 0. The
     * master counts its children once a second, and replaces none while enough are idle. */
    {"httpd prefork", HTTPD, .question = IS_HTTPD_PREFORK, .method = SIGNAL(USR1, CLOSE),
     .is_tcp_only = true, .replaced_within = 2000},
    /* No signal makes a threaded child leave, and it is hardly ever idle. */
    {"httpd worker, event", HTTPD, .question = IS_HTTPD_THREADED, .method = POD(ACCEPT),
     .takes_time = true, .is_tcp_only = true, .replaced_within = 2000},
    /* It leaves at accept, because what runs after fastcgi_finish_request() is done by then. */
    {"php-fpm", PHP, .question = IS_PHP_FPM, .method = SIGNAL(QUIT, ACCEPT)},
    /* The kernel wakes one worker for each connection, and at accept that wake-up would be lost. */
    {"nginx",
     {"nginx"},
     .exports = "ngx_master_process_cycle",
     .method = SIGNAL(QUIT, CLOSE),
     .drains = true},
    /* At its exit it cancels its threads wherever they are, and may hang because of what they have
     * locked. Its own recycling hangs, too. */
    {"uWSGI with threads", UWSGI, .question = IS_UWSGI_THREADED, .method = STAY},
    /* At accept it would hold its accept lock. */
    {"uWSGI", UWSGI, .method = SIGNAL(HUP, CLOSE), .may_lack_master = true},
    {"lighttpd",
     {"lighttpd"},
     .exports = "config_plugin_values_init",
     .method = SIGNAL(INT, ACCEPT),
     .drains = true},
    /* Up to 1.1.0 its master replaces no worker before all are gone, and spins until then. */
    {"fcgiwrap", {"fcgiwrap"}, .method = STAY},
    /* It ends when it has started its program. */
    {"spawn-fcgi", {"spawn-fcgi"}, .method = STAY},
    /* Of gunicorn's workers each class is another server, and which it is the master has loaded.
     * gevent workers finish what is open, and send "Connection: close" from then on; once a second
     * they check whether they are to stop. */
    {"gunicorn gevent", LOADED(PYTHON, "gunicorn.workers.ggevent"), .method = SIGNAL(TERM, ACCEPT),
     .takes_time = true},
    {"gunicorn gthread", LOADED(PYTHON, "gunicorn.workers.gthread"), .method = SIGNAL(TERM, ACCEPT),
     .drains = true},
    {"gunicorn eventlet", LOADED(PYTHON, "gunicorn.workers.geventlet"),
     .method = SIGNAL(TERM, ACCEPT), .drains = true, .drains_first = true},
    {"gunicorn tornado", LOADED(PYTHON, "gunicorn.workers.gtornado"),
     .method = SIGNAL(TERM, ACCEPT), .drains = true, .drains_first = true},
    {"gunicorn uvicorn", LOADED(PYTHON, "uvicorn.workers"), .method = SIGNAL(TERM, ACCEPT),
     .drains = true, .drains_first = true},
    {"gunicorn aiohttp", LOADED(PYTHON, "aiohttp.worker"), .method = SIGNAL(TERM, ACCEPT),
     .drains = true, .drains_first = true},
    {"gunicorn sync", LOADED(PYTHON, "gunicorn.workers.sync"), .method = SIGNAL(TERM, ACCEPT)},
    /* Nobody has tried other classes. */
    {"gunicorn", LOADED(PYTHON, "gunicorn.arbiter"), .method = STAY},
    {"gunicorn", {"gunicorn*"}, .method = STAY},
    /* Its other constants are in each program that has required its library, puma for one. Ruby may
     * run the handler right before a wait, which then goes on for 30 s. */
    {"unicorn",
     {"unicorn", "unicorn_rails"},
     LOADED(RUBY, "Unicorn::Launcher"),
     .method = SIGNAL(QUIT, CLOSE),
     .handler_is_late = true},
    /* Its main thread takes the signal, and another thread accepts. When it stops it closes each
     * connection on which no whole request has come. If it closes a pipe while the main thread is
     * still within its write of that, it waits forever (puma's issue 3677). */
    {"puma",
     {"puma"},
     LOADED(RUBY, "Puma::Cluster"),
     .method = SIGNAL(TERM, ACCEPT),
     .refuses_for = 1000,
     .handler_is_late = true,
     .drains = true},
    /* When it serves no request, its handler runs child_finish_hook and exits. */
    {"Starman",
     {"starman", "starman-5*"},
     LOADED(PERL, "Starman/Server.pm"),
     .method = SIGNAL(HUP, ACCEPT)},
    /* Of a perl without threads it is not known what it has loaded. */
    {"Starman", {"plackup", "plackup-5*"}, "*Starman", .method = SIGNAL(HUP, ACCEPT)},
    /* It checks what its handler noted before it takes its lock and accepts. */
    {"Starlet",
     {"plackup", "plackup-5*"},
     "*Starlet",
     LOADED(PERL, "Plack/Handler/Starlet.pm"),
     .method = SIGNAL(TERM, CLOSE)},
    /* A child handles no signal, and its master relies on it once it has reported that it is idle.
     */
    {"spamd", {"spamd"}, .method = EXIT(0, CLOSE)},
    {"Postfix smtpd", {"smtpd"}, .method = EXIT(0, ACCEPT), .master = "*/postfix/*master"},
    /* As after child_max_connections, because its master replaces only a child that ends with this
     * status. It waits in select(), and takes the lock around that with SEM_UNDO. */
    {"pgpool-II", {"pgpool"}, .method = EXIT(1, IDLE)},
    /* Its exit aborts. It has a service_count of its own for recycling. */
    {"Dovecot",
     {"imap-login", "pop3-login", "imap", "pop3", "lmtp"},
     .method = STAY,
     .master = "*dovecot"},
    {"haproxy", {"haproxy"}, .exports = "haproxy_version", .method = STAY},
    /* Its master ends when any of its children does. */
    {"krb5kdc", {"krb5kdc"}, .method = STAY},
    /* Its master never replaces one. */
    {"php -S", PHP, .question = IS_PHP_SERVER, .method = STAY},
};
enum { PROFILES = sizeof profiles / sizeof *profiles };

static bool is_known[PROFILES], is_loaded[PROFILES];
static const struct profile *started;

static bool has_name(const struct profile *profile)
{
	for (int i = 0; i < PROFILE_NAMES && profile->names[i][0] != '\0'; i++)
		if (program_is(profile->names[i]))
			return true;
	return false;
}

bool profile_fits(const struct profile *profile,
                  bool (*exports)(const char *symbol, const void *image), const void *image)
{
	return (has_name(profile) &&
	        (profile->argument[0] == '\0' || program_has_argument(profile->argument))) ||
	       (profile->exports[0] != '\0' && exports(profile->exports, image));
}

static bool is_exported(const char *symbol, const void *unused)
{
	void *address;

	(void)unused;
	return image_look_up(symbol, &address);
}

void profile_start(void)
{
	started = NULL;
	for (int i = 0; i < PROFILES; i++) {
		const struct profile *profile = &profiles[i];

		is_known[i] = profile_fits(profile, is_exported, NULL);
		if (profile_is_of_started(profile) && program_was_started_as(profile->master))
			started = profile;
	}
}

static bool matches(int row)
{
	return (is_known[row] || is_loaded[row]) && is_answered(profiles[row].question);
}

/* The rows after the first that matches do not count. So no interpreter is looked for in a server
 * that only has one among its modules. */
void profile_note_loaded(void)
{
	for (int i = 0; i < PROFILES; i++) {
		const struct profile *profile = &profiles[i];

		if (profile->loaded[0] != '\0' && interpreter_may_be_asked(profile->language))
			is_loaded[i] = interpreter_has_loaded(profile->language, profile->loaded);
		if (matches(i))
			return;
	}
}

/* Not strcmp(), because the loader would have to look it up at the start of every program. */
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
		if (matches(i))
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
