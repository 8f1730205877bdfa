/* profiles.c - asks each row of the table what it asks of the running program, as far as there is
 * an answer. */
#include "cmd/profiles.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/exports.h"
#include "leave/program.h"

enum answer { NO, MAYBE, YES };

static bool is_exported(const char *symbol, const void *exports)
{
	return exports_symbol(exports, symbol);
}

/* Which processing model httpd has, and how many threads uWSGI, is in their configuration. Which
 * server PHP is, its image has as a text. */
static enum answer ask(const struct profile *profile, const struct exports *exports)
{
	switch (profile->question) {
	case IS_HTTPD_PREFORK:
	case IS_UWSGI_THREADED:
		return MAYBE;
	case IS_PHP_FPM:
		return exports_text(exports, "fpm-fcgi") ? YES : NO;
	case IS_PHP_SERVER:
		return exports_text(exports, "cli-server") && program_has_argument("-S*") ? YES : NO;
	default:
		return YES; /* an httpd that is not prefork is threaded */
	}
}

/* "gunicorn gevent" and "gunicorn" are of one server. */
static bool are_related(const struct profile *one, const struct profile *other)
{
	size_t length = strcspn(one->title, " ");

	return strcspn(other->title, " ") == length && strncmp(one->title, other->title, length) == 0;
}

/* What the interpreter will have loaded decides between the rows of the server that the name tells.
 */
static enum answer may_be_loaded(const struct profile *profile, const struct exports *exports)
{
	const struct profile *other;

	for (size_t i = 0; profile->loaded[0] != '\0' && (other = profile_row(i)) != NULL; i++)
		if (other != profile && are_related(profile, other) &&
		    profile_fits(other, is_exported, exports))
			return MAYBE;
	return NO;
}

static enum answer match(const struct profile *profile, const struct exports *exports)
{
	return profile_fits(profile, is_exported, exports) ? ask(profile, exports)
	                                                   : may_be_loaded(profile, exports);
}

static void find_rows(struct profiles *profiles, const struct exports *exports)
{
	const struct profile *profile;

	for (size_t i = 0; (profile = profile_row(i)) != NULL && !profiles->is_certain; i++) {
		enum answer answer = match(profile, exports);

		if (answer == NO || profiles->count == PROFILES_MOST)
			continue;
		profiles->of[profiles->count++] = profile;
		profiles->is_certain = answer == YES;
	}
}

static void set_program(char *const words[])
{
	char room[PROGRAM_ROOM];
	size_t size = program_copy(room, sizeof room, words);

	program_set(program_image(room), room, size);
}

void profiles_find(struct profiles *profiles, const struct launch *launch)
{
	struct exports exports;

	*profiles = (struct profiles){.count = 0};
	set_program(launch->words.of);
	profile_start();
	profiles->starts = profile_find_started();
	exports_open(&exports, launch->path);
	find_rows(profiles, &exports);
	exports_close(&exports);
}
