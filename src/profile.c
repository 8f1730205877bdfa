/* profile.c - the known servers. See profile.h for what it may not know. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "profile.h"

#include <dlfcn.h>
#include <signal.h>
#include <string.h>

/* httpd's own question to its processing model, from its public ap_mpm.h; the main program
 * exports it. Other programs are named httpd too: they do not have it. */
static int (*ap_mpm_query)(int code, int *result);

/* The prefork model answers "not supported" (0) when asked for threads. There SIGUSR1 makes a
 * child finish its connection, run its cleanups and exit with status 0; in the threaded models
 * the worker's threads have it blocked. */
static bool is_httpd_prefork(void)
{
	enum { AP_MPMQ_IS_THREADED = 2, SUCCESS = 0 };
	int threaded = 1;

	return ap_mpm_query != NULL && ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded) == SUCCESS &&
	       threaded == 0;
}

static const char *const httpd[] = {"httpd", "apache2", NULL};

/* httpd's master looks once a second for what is missing, and replaces nobody while enough
 * children are idle. */
static const struct profile profiles[] = {
    {"httpd prefork", httpd, is_httpd_prefork, {DEED_SIGNAL, SIGUSR1, MOMENT_CLOSE}, 2000},
};

static bool has_name(const struct profile *profile, const char *program)
{
	for (const char *const *name = profile->programs; *name != NULL; name++)
		if (strcmp(program, *name) == 0)
			return true;
	return false;
}

enum { PROFILES = sizeof profiles / sizeof *profiles };

/* A look-up that fails allocates: only in programs that may have the symbol. */
void profile_start(const char *program)
{
	if (has_name(&profiles[0], program)) {
		void *found = dlsym(RTLD_DEFAULT, "ap_mpm_query");

		memcpy(&ap_mpm_query, &found, sizeof found);
	}
}

const struct profile *profile_find(const char *program)
{
	for (int i = 0; i < PROFILES; i++)
		if (has_name(&profiles[i], program) && profiles[i].is_it())
			return &profiles[i];
	return NULL;
}
