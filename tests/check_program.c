/* check_program.c - which program this is, and which profile it has. */
#include "leave/program.h"

#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "leave/profile.h"
#include "os/image.h"
#include "tree.h"

static const struct {
	const char *image;
	const char *words; /* of the command line, spaces between */
	const char *name;
	const char *profile; /* its title; NULL: none */
} programs[] = {
    {"nginx", "nginx -g daemon-off", "nginx", "nginx"},
    {"lighttpd", "lighttpd -D -f lighttpd.conf", "lighttpd", "lighttpd"},
    {"fcgiwrap", "fcgiwrap -c 4", "fcgiwrap", "fcgiwrap"},
    {"spawn-fcgi", "spawn-fcgi -n -F 4 program", "spawn-fcgi", "spawn-fcgi"},
    {"haproxy", "haproxy -W -f haproxy.cfg", "haproxy", "haproxy"},
    /* These are known by what they export, and it is not here. */
    {"apache2", "apache2 -X", "apache2", NULL},
    {"php-fpm8.2", "/usr/sbin/php-fpm8.2 -F", "php-fpm8.2", NULL},
    {"php8.2", "php8.2 -S 127.0.0.1:80", "php8.2", NULL},
    {"uwsgi-core", "uwsgi-core --master", "uwsgi-core", NULL},
    {"perl", "/usr/bin/perl /usr/bin/starman --workers 4", "starman", "Starman"},
    {"perl", "perl -I lib -Mstrict -w bin/starman", "starman", "Starman"},
    {"perl", "/usr/bin/perl -T -w -I lib /usr/bin/starman", "starman", "Starman"},
    {"perl", "perl -wT -Ilib /usr/bin/starman", "starman", "Starman"},
    {"perl", "perl -wI lib -CSDA -Mlib=lib -mFoo=-e,I -- bin/starman", "starman", "Starman"},
    {"perl", "perl -0777 -d:NYTProf -x -Dtls -i.be starman-5.36", "starman-5.36", "Starman"},
    {"perl", "/usr/bin/perl -T -w /usr/sbin/spamd", "spamd", "spamd"},
    {"perl", "perl /usr/bin/plackup -s Starlet", "plackup", "Starlet"},
    {"perl", "perl /usr/bin/plackup -s Starman", "plackup", "Starman"},
    {"perl", "perl /usr/bin/plackup-5.36 --server=Starman", "plackup-5.36", "Starman"},
    {"perl", "perl /usr/bin/plackup", "plackup", NULL},
    {"perl", "perl /usr/bin/start_server --port 80 -- starman", "start_server", NULL},
    {"perl5.36.0", "perl5.36.0 -e code starman", "perl5.36.0", NULL},
    {"perl", "perl -wle code starman", "perl", NULL},
    {"perl", "perl - starman", "perl", NULL},
    {"perl", "perl --", "perl", NULL},
    {"perl", "perl", "perl", NULL},
    {"perl", "perl -I", "perl", NULL},
    {"perl", "", "perl", NULL},
    {"python3", "/usr/bin/python3 /usr/bin/gunicorn -w 4 app", "gunicorn", "gunicorn"},
    {"python3.11", "python3.11 -W error -m gunicorn app", "gunicorn", "gunicorn"},
    {"python3", "python3 -m gunicorn -k gevent app", "gunicorn", "gunicorn"}, /* no interpreter */
    {"python3", "python3 -X dev -W error -u -m gunicorn app:app", "gunicorn", "gunicorn"},
    {"python3", "python3 -Im gunicorn", "gunicorn", "gunicorn"},
    {"python3", "python3 -mgunicorn", "gunicorn", "gunicorn"},
    {"python3", "python3 -OBWerror -Xdev bin/gunicorn", "gunicorn", "gunicorn"},
    {"python3", "python3 -O -m gunicorn.app.wsgiapp", "gunicorn.app.wsgiapp", "gunicorn"},
    {"python", "python --check-hash-based-pycs never -m gunicorn", "gunicorn", "gunicorn"},
    {"python3", "python3 -c code gunicorn", "python3", NULL},
    {"python3", "python3 -Ic code -m gunicorn", "python3", NULL},
    {"python3", "python3 -m", "python3", NULL},
    {"python3", "python3 manage.py -m gunicorn", "manage.py", NULL},
    {"smtpd", "smtpd -n smtp -t inet -u", "smtpd", "Postfix smtpd"},
    {"pgpool", "/usr/sbin/pgpool -n -f pgpool.conf", "pgpool", "pgpool-II"},
    {"krb5kdc", "/usr/sbin/krb5kdc -n -w 4", "krb5kdc", "krb5kdc"},
    {"imap-login", "imap-login", "imap-login", "Dovecot"},
    {"ruby", "/usr/bin/ruby /usr/bin/unicorn", "unicorn", "unicorn"},
    {"ruby", "ruby -W0 -rbundler/setup /usr/bin/unicorn", "unicorn", "unicorn"},
    {"ruby", "ruby -I lib -S unicorn", "unicorn", "unicorn"},
    {"ruby", "ruby -Ku -W:no-deprecated -wSI lib unicorn_rails", "unicorn_rails", "unicorn"},
    {"ruby", "ruby --disable=gems --enable yjit --yjit -C dir unicorn", "unicorn", "unicorn"},
    {"ruby", "ruby -wr json -E utf-8:utf-8 --encoding utf-8 -- unicorn", "unicorn", "unicorn"},
    {"ruby", "ruby -wle code unicorn", "ruby", NULL},
    {"ruby3.1", "ruby3.1 -r json /usr/bin/puma -w 2", "puma", "puma"},
    {"ruby", "ruby /usr/bin/bundle exec puma", "puma", "puma"},
    {"ruby3.1", "ruby3.1 bin/bundle3.1 exec --keep-file-descriptors unicorn", "unicorn", "unicorn"},
    {"ruby", "ruby /usr/bin/bundle exec", "ruby", NULL},
    {"ruby", "ruby /usr/bin/bundle install", "bundle", NULL},
};

static void set(const char *image, const char *command)
{
	char words[128];
	size_t size = (size_t)snprintf(words, sizeof words, "%s", command) + 1;

	for (size_t i = 0; i < size; i++)
		if (words[i] == ' ')
			words[i] = '\0';
	program_set(image, words, size);
	profile_start();
}

START_TEST(knows_program_and_profile)
{
	const struct profile *profile;

	set(programs[_i].image, programs[_i].words);
	ck_assert_str_eq(program_name(), programs[_i].name);
	ck_assert(program_is(programs[_i].image) && program_is(programs[_i].name));
	profile = profile_find();
	ck_assert_pstr_eq(profile != NULL ? profile->title : NULL, programs[_i].profile);
}
END_TEST

static const struct {
	const char *words, *profile;
} masters[] = {
    {"/usr/lib/postfix/sbin/master -w", "Postfix smtpd"},
    {"/usr/libexec/postfix/master -i", "Postfix smtpd"},
    {"/usr/lib/cyrus/bin/master", NULL},
    {"smtpd -n smtp -t inet -u", NULL},
    {"/usr/sbin/dovecot -F", "Dovecot"},
};

START_TEST(knows_who_starts_workers)
{
	const struct profile *started;

	set("master", masters[_i].words);
	started = profile_find_started();
	ck_assert_pstr_eq(started != NULL ? started->title : NULL, masters[_i].profile);
}
END_TEST

/* This program is linked so that it exports them. */
int exported_number = 1;

int exported_function(void)
{
	return exported_number;
}

START_TEST(knows_what_the_image_exports)
{
	int (*function)(void), *number;
	void *other;

	ck_assert(image_look_up("exported_function", &function) && function == exported_function);
	ck_assert(image_look_up("exported_number", &number) && number == &exported_number);
	ck_assert(!image_look_up("exported_numbers", &other) && other == NULL);
	ck_assert(!image_look_up("", &other));
#ifndef POSIX_FLOOR /* it asks the loader, which tells of libraries, too */
	ck_assert(!image_look_up("dlsym", &other));
#endif
}
END_TEST

START_TEST(survives_a_long_command_line)
{
	char words[8192];

	memset(words, 'x', sizeof words);
	memcpy(words, "perl", 5);
	program_set("perl", words, sizeof words);
	ck_assert_uint_eq(strlen(program_name()), 63);
	ck_assert(!program_has_argument("y*"));
}
END_TEST

START_TEST(knows_itself)
{
	char room[PROGRAM_ROOM];
	char *words[] = {(char *)"/usr/bin/perl", (char *)"-w", (char *)"/usr/bin/starman", NULL};
	size_t size = program_copy(room, sizeof room, NULL);

	program_set(program_image(room), room, size);
	ck_assert_str_eq(program_name(), "check_program");
	size = program_copy(room, sizeof room, words);
	ck_assert_uint_eq(size, strlen("/usr/bin/perl -w /usr/bin/starman") + 1);
	program_set(program_image(room), room, size);
	ck_assert_str_eq(program_name(), "starman");
	ck_assert_uint_eq(program_copy(room, 8, words), 8);
	ck_assert_str_eq(room, "/usr/bi");
}
END_TEST

static bool fits_a_program(const struct profile *profile)
{
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
		set(programs[i].image, programs[i].words);
		if (profile_find() == profile)
			return true;
	}
	return false;
}

/* But for those that only the living program tells. */
START_TEST(profile_has_a_command_line)
{
	const struct profile *profile = profile_row((size_t)_i);

	ck_assert_msg(profile->names[0][0] == '\0' || fits_a_program(profile),
	              "no command line in `programs` of check_program.c is one of %s", profile->title);
}
END_TEST

/* ".It php-fpm Ta QUIT@accept" of the table of servers. */
START_TEST(manual_has_profile)
{
	const struct profile *profile = profile_row((size_t)_i);
	struct line line;

	line_start(&line);
	line_text(&line, "\n.It ");
	line_text(&line, profile->title);
	line_text(&line, " Ta ");
	exit_method_describe(&profile->method, &line);
	line_text(&line, " Ta ");
	tree_needs(TREE_MANUAL, line.text);
	tree_has_all();
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, knows_program_and_profile, 0, sizeof programs / sizeof *programs);
	tcase_add_loop_test(tests, knows_who_starts_workers, 0, sizeof masters / sizeof *masters);
	tcase_add_test(tests, knows_what_the_image_exports);
	tcase_add_test(tests, survives_a_long_command_line);
	tcase_add_test(tests, knows_itself);
	add_for_each_row(tests, profile_has_a_command_line, profile_row);
	add_for_each_row(tests, manual_has_profile, profile_row);
}
