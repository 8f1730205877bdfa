/* main.c - the slshim command: finds the subcommand. May not know: what any of them does. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "os/line.h"
#include "version.h"

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} subcommands[] = {
    {"run", cmd_run, "[options] -- command ..."},
    {"check", cmd_check, "[-f FILE] [command ...]"},
    {"measure", cmd_measure, "[--json] PID ..."},
    {"status", cmd_status, "[--json] [PID]"},
    {"advise", cmd_advise, "[--for DURATION] [--headroom PERCENT] [--json] PID"},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

void cmd_complain(const char *format, ...)
{
	struct line line;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line.text, sizeof line.text, format, arguments);
	va_end(arguments);
	line.used = strlen(line.text);
	line_make_printable(&line);
	fprintf(stderr, "slshim: %s\n", line.text);
}

static int show_usage(FILE *stream, int status)
{
	for (int i = 0; i < SUBCOMMANDS; i++)
		fprintf(stream, "%s slshim %s %s\n", i == 0 ? "usage:" : "      ", subcommands[i].name,
		        subcommands[i].usage);
	fprintf(stream, "       slshim [options] -- command ...   as with run\n"
	                "       slshim --help | --version\n");
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return show_usage(stderr, EXIT_OWN_FAILURE);
	if (strcmp(argv[1], "--help") == 0)
		return show_usage(stdout, 0);
	if (strcmp(argv[1], "--version") == 0)
		return printf("slshim %s\n", SLSHIM_VERSION) < 0;
	for (int i = 0; i < SUBCOMMANDS; i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	if (argv[1][0] == '-')
		return cmd_run(argc, argv);
	cmd_complain("\"%s\" is no subcommand; accepted: run, check, measure, status, advise, or -- and a command", argv[1]);
	return EXIT_OWN_FAILURE;
}
