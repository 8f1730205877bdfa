/* check_settings.c - what files of settings set: units, EnvironmentFiles, scripts. What systemd
 * makes of the same files is asked in tests/end_to_end/command/test_check.py. */
#include "cmd/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"

static struct settings settings;

static void read_text(const char *text)
{
	char copy[4096];

	settings = (struct settings){.program = NULL};
	snprintf(copy, sizeof copy, "%s", text);
	settings_read_text(&settings, "FILE", copy, strlen(copy));
	settings_end(&settings);
}

/* All of a list, with a bar after each. */
static const char *joined(const struct list *list)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0; i < list->count; i++) {
		strcat(text, list->of[i]);
		strcat(text, "|");
	}
	return text;
}

static const struct {
	const char *text, *variables;
	const char *wrong; /* some of what is said; NULL: nothing is */
} files[] = {
    /* Units. */
    {"[Service]\nEnvironment=SL_A=1 SL_B=2\n", "SL_A=1|SL_B=2|", NULL},
    {"# comment\n\n[Service]\nEnvironment=\"SL_A=1 2\" 'SL_B=3 \"4\"'\n", "SL_A=1 2|SL_B=3 \"4\"|",
     NULL},
    {"[Service]\n Environment = SL_A=1 \n", "SL_A=1|", NULL},
    {"[Service]\r\nEnvironment=SL_A=1\r\n", "SL_A=1|", NULL},
    {"\xEF\xBB\xBF[Service]\nEnvironment=SL_A=1", "SL_A=1|", NULL},
    {"[Service]\nEnvironment=SL_A=1\nEnvironment=SL_A=2 SL_B=3\n", "SL_A=2|SL_B=3|", NULL},
    {"[Service]\nEnvironment=SL_A=1\nEnvironment=\nEnvironment=SL_B=2\n", "SL_B=2|", NULL},
    {"[Service]\nEnvironment=SL_A=1 \\\n# between\n; too\n  SL_B=2\nEnvironment=SL_C=3\n",
     "SL_A=1|SL_B=2|SL_C=3|", NULL},
    {"[Service]\nEnvironment=SL_A=1\\\\\nEnvironment=SL_B=2\n", "SL_A=1\\|SL_B=2|", NULL},
    {"[Service]\nEnvironment=SL_A=5%% SL_B=%%x%% X=%n\n", "SL_A=5%|SL_B=%x%|X=%n|", NULL},
    {"[Service]\nEnvironment=SL_A=5% SL_B=1\n", "SL_A=5%|SL_B=1|", NULL},
    {"[Service]\nEnvironment=SL_A=5%i SL_B=1\n", "SL_B=1|", "FILE:2: systemd replaces a \"%\""},
    {"[Service]\nEnvironment=SL_A=\\x41\\101\\u00e9\\s\\t\\\\\n", "SL_A=AA\xC3\xA9 \t\\|", NULL},
    {"[Service]\nEnvironment=SL_A=1 SL_B=\\q SL_C=2\n", "SL_A=1|", "FILE:2: a quote is not closed"},
    {"[Service]\nEnvironment=SL_A=1 \"SL_B=2\n", "SL_A=1|", "FILE:2: a quote is not closed"},
    {"[Service]\nEnvironment=SL_A 1A=2 SL-B=3 SL_C=4\n", "SL_C=4|", "\"SL_A\", which is no assign"},
    {"[Service]\nEnvironment SL_A=1\nEnvironment=SL_B=1\n", "SL_B=1|",
     "no setting \"Environment SL_A=\""},
    {"[Service]\nEnvironment=SL_A=1\nnonsense\n", "SL_A=1|", "FILE:3: there is no \"=\""},
    {"[Unit]\nEnvironment=SL_A=1\n[Service]\nEnvironment=SL_B=1\n", "SL_B=1|",
     "FILE:2: Environment= has no effect"},
    {"[Service]\nEnviroment=SL_A=1\n", "", "FILE:2: systemd ignores this, because it has no"},
    {"[Service]\nEnvironment=SL_A=1 SL_B=2 SL_C=3\nUnsetEnvironment=SL_A SL_B=9 SL_C=3\n",
     "SL_B=2|", NULL},
    {"[Service]\nEnvironment=SL_A=1\nUnsetEnvironment=SL_A\nUnsetEnvironment=\n", "SL_A=1|", NULL},
    {"[Service]\nEnvironment=SL_A=$X${Y}\n", "SL_A=$X${Y}|", NULL},
    {"[Service]\nEnvironmentFile=/no/such/file\n", "",
     "EnvironmentFile=/no/such/file: there is no"},
    {"[Service]\nEnvironmentFile=-/no/such/file\n", "", NULL},
    {"[Service]\nEnvironmentFile=relative\n", "", "not absolute"},
    {"[Service]\nEnvironmentFile=/dev/zero\n", "", "EnvironmentFile=/dev/zero: "},
    /* EnvironmentFiles. */
    {"SL_A=1\n  SL_B = 2 3 \n;SL_C=4\n# SL_D=5\nSL_E=\n", "SL_A=1|SL_B=2 3|SL_E=|", NULL},
    {"SL_A=5%\nSL_B=5%%\nSL_C=$X\n", "SL_A=5%|SL_B=5%%|SL_C=$X|", NULL},
    {"SL_A=\"1 'x' \\\"\\$ \\q\"\nSL_B='a\\b\"'\nSL_C=x\"y\"\n",
     "SL_A=1 'x' \"$ \\q|SL_B=a\\b\"|SL_C=x\"y\"|", NULL},
    {"SL_A=\"1\"'2' 3\n", "SL_A=123|", NULL},
    {"SL_A=1\\\n2\nSL_B=a\\ \\\\\nSL_C=\"1\n2\"\n", "SL_A=12|SL_B=a \\|SL_C=1\n2|", NULL},
    {"SL_A=1 # no comment\n", "SL_A=1 # no comment|", NULL},
    {"SL_A=1\nSL_A=2\n", "SL_A=2|", NULL},
    {"SL_A=1\nSL_B='2\nSL_C=3\n", "SL_A=1|SL_B=2\nSL_C=3\n|", "FILE:2: a quote is not closed"},
    {"SL_A=1\nset SL_B=2\nSL-C=3\nother words\n", "SL_A=1|", "FILE:2: systemd ignores this"},
    {"SL_A", "", "\"SL_A\" is no name"},
    {"SL_A=", "SL_A=|", NULL},
    {"=1\n=\n\\\nSL_A=\\", "SL_A=\\|", NULL},
    {"", "", NULL},
    /* Scripts. */
    {"export SL_A=1 SL_B='2 3' # comment\n", "SL_A=1|SL_B=2 3|", NULL},
    {"#!/bin/sh\nSL_A=1; export SL_A\nX=1\n", "SL_A=1|", NULL},
    {"#!/bin/sh\nset -a\nSL_A=1\n", "SL_A=1|", NULL},
    {"export X\nSL_A=1\n", "", "SL_A is set but not exported"},
    {"export SL_A=1\nunset SL_A\n", "", NULL},
    {"export X=1\nexport SL_A=$X${X}2\"$X\"'$X'\n", "X=1|SL_A=1121$X|", NULL},
    {"export SL_A=$(echo 1)\n", "", "FILE:1: the value of SL_A takes a shell"},
    {"export SL_A=`echo 1` SL_B=2\n", "SL_B=2|", "the value of SL_A takes a shell"},
    {"export SL_A=${NONE}\n", "", "the value of SL_A takes a shell"},
    {"export LD_PRELOAD=/l.so${LD_PRELOAD:+:$LD_PRELOAD}\n", "LD_PRELOAD=/l.so|", NULL},
    {"if [ -f x ]; then\n\texport SL_A=1\nelse export SL_B=2; fi\n", "SL_A=1|SL_B=2|", NULL},
    {"export SL_A=1\nSL_A=2 program\n", "SL_A=1|", NULL},
    {"export SL_A=\"1\n2\" \\\n SL_B=3\n", "SL_A=1\n2|SL_B=3|", NULL},
    {"export SL_A='1\n", "SL_A=1\n|", "FILE:1: a quote is not closed"},
    {"export X\nX=$(a (b) c)\nSL_A=${X\n", "X=|", "the value of SL_A takes a shell"},
};

START_TEST(file_sets)
{
	read_text(files[_i].text);
	ck_assert_str_eq(joined(&settings.variables), files[_i].variables);
	if (files[_i].wrong == NULL)
		ck_assert_str_eq(joined(&settings.wrong), "");
	else
		ck_assert_msg(strstr(joined(&settings.wrong), files[_i].wrong) != NULL, "%s",
		              joined(&settings.wrong));
	settings_free(&settings);
}
END_TEST

static const struct {
	const char *text, *program, *command;
} units[] = {
    {"[Service]\nExecStart=/usr/sbin/server -a 'b c'\n", "/usr/sbin/server",
     "/usr/sbin/server|-a|b c|"},
    {"[Service]\nExecStart=-@:+!!/usr/sbin/server name -a $X\n", "/usr/sbin/server", "name|-a|$X|"},
    {"[Service]\nExecStart=|server %%\nUser=x\n", "server", "server|%|"},
    {"[Service]\nExecStart=/a\nExecStart=\nExecStart=/b ; /c\n", "/b", "/b|"},
    {"[Service]\nExecStart=/a 1\nExecStart=/b\n", "/a", "/a|1|"},
    {"[Service]\nExecStart=/a \\; x\\q ';' ; y\n", "/a", "/a|;|x\\q|;|"},
    {"[Service]\nExecStart=/a;b ;c \\;d\n", "/a;b", "/a;b|;c|\\;d|"},
    {"[Service]\nEnvironment=X='1 2' Y=\nExecStart=/a $X ${X} $Y ${Y} x${X}x $$X $X/ ${ $\n", "/a",
     "/a|1|2|1 2||x1 2x|$X|$X/|${|$|"},
    {"[Service]\nExecStart=@/a\n", "/a", "/a|"},
    {"[Install]\nExecStart=/a\n", NULL, ""},
};

START_TEST(unit_starts)
{
	read_text(units[_i].text);
	ck_assert_pstr_eq(settings.program, units[_i].program);
	ck_assert_str_eq(joined(&settings.command), units[_i].command);
	settings_free(&settings);
}
END_TEST

/* EnvironmentFiles override Environment, wherever they are; the later one wins. */
START_TEST(environment_files_come_last)
{
	char names[2][32] = {"/tmp/check_settings.XXXXXX", "/tmp/check_settings.XXXXXX"}, text[512];

	for (int i = 0; i < 2; i++) {
		FILE *file = fdopen(mkstemp(names[i]), "w");

		fprintf(file, "SL_A=%d\nSL_%c=1\nset SL_X=1\n", i + 2, 'B' + i);
		fclose(file);
	}
	snprintf(text, sizeof text,
	         "[Service]\nEnvironmentFile=/none\nEnvironmentFile=\nEnvironmentFile=%s\n"
	         "EnvironmentFile=-%.25s[%c]\nEnvironment=SL_A=1 SL_D=1\nUnsetEnvironment=SL_B\n",
	         names[0], names[1], names[1][25]);
	read_text(text);
	ck_assert_str_eq(joined(&settings.variables), "SL_D=1|SL_A=3|SL_C=1|");
	ck_assert_uint_eq(settings.wrong.count, 2);
	ck_assert_ptr_nonnull(strstr(settings.wrong.of[1], ":3: systemd ignores this"));
	settings_free(&settings);
	for (int i = 0; i < 2; i++)
		remove(names[i]);
}
END_TEST

START_TEST(notes_what_cannot_be_known)
{
	read_text("[Service]\nPassEnvironment=HOME SL_MAX_RSS\nEnvironmentFile=/etc/%i\n"
	          "Environment=X = 1\n");
	ck_assert_uint_eq(settings.wrong.count, 0);
	ck_assert_uint_eq(settings.notes.count, 5);
	ck_assert_ptr_nonnull(strstr(settings.notes.of[0], "FILE:2: SL_MAX_RSS comes from systemd"));
	settings_free(&settings);
}
END_TEST

START_TEST(refuses_nul)
{
	char text[] = "SL_A=1\nSL_B=\0x\n";

	settings = (struct settings){.program = NULL};
	settings_read_text(&settings, "FILE", text, sizeof text - 1);
	ck_assert_uint_eq(settings.variables.count, 0);
	ck_assert_ptr_nonnull(strstr(settings.wrong.of[0], "FILE:2: there is a NUL byte"));
	settings_free(&settings);
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, file_sets, files);
	add_for_each(tests, unit_starts, units);
	tcase_add_test(tests, environment_files_come_last);
	tcase_add_test(tests, notes_what_cannot_be_known);
	tcase_add_test(tests, refuses_nul);
}
