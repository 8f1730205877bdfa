/* main.c - the slshim command: finds the subcommand. May not know: what any of them does. */
#include <errno.h>
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
    {"check", cmd_check, "[-f FILE ...] [command ...]"},
    {"measure", cmd_measure, "[--json] PID ..."},
    {"metrics", cmd_metrics,
     "[--openmetrics] [--per-worker] [-o FILE] [--listen ADDRESS:PORT] [PID]"},
    {"status", cmd_status, "[--json] [PID]"},
    {"advise", cmd_advise, "[--for DURATION] [--headroom PERCENT] [--json] PID"},
    {"top", cmd_top, "[--delay SECONDS] [--once] [--json] [PID]"},
    {"report", cmd_report, "[--for DURATION] [-o FILE.html] [PID | -f FILE]"},
    {"completion", cmd_completion, ""},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

const char *cmd_subcommand(size_t index, const char **usage)
{
	if (index >= SUBCOMMANDS)
		return NULL;
	*usage = subcommands[index].usage;
	return subcommands[index].name;
}

static int refuse(const char *word)
{
	struct line names;

	line_start(&names);
	for (int i = 0; i < SUBCOMMANDS; i++) {
		line_text(&names, subcommands[i].name);
		line_text(&names, ", ");
	}
	cmd_complain("\"%s\" is no subcommand; accepted: %sor -- and a command", word, names.text);
	return EXIT_OWN_FAILURE;
}

/* What a subcommand wrote may be short because the disk is full. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	cmd_complain("standard output: %s", strerror(errno));
	return EXIT_OWN_FAILURE;
}

static int start(const struct subcommand *subcommand, int argc, char **argv)
{
	bool wants_help = argc > 1 && strcmp(argv[1], "--help") == 0 && subcommand->run != cmd_run;

	if (!wants_help)
		return subcommand->run(argc, argv);
	printf("usage: slshim %s %s\n", subcommand->name, subcommand->usage);
	return 0;
}

static int show_usage(FILE *stream, int status)
{
	for (int i = 0; i < SUBCOMMANDS; i++)
		fprintf(stream, "%s slshim %s%s%s\n", i == 0 ? "usage:" : "      ", subcommands[i].name,
		        *subcommands[i].usage != '\0' ? " " : "", subcommands[i].usage);
	fprintf(stream, "       slshim [options] -- command ...   as with run\n"
	                "       slshim --help | --version\n");
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return show_usage(stderr, EXIT_OWN_FAILURE);
	if (strcmp(argv[1], "--help") == 0)
		return finish(show_usage(stdout, 0));
	if (strcmp(argv[1], "--version") == 0) {
		printf("slshim %s\n", SLSHIM_VERSION);
		return finish(0);
	}
	for (int i = 0; i < SUBCOMMANDS; i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return finish(start(&subcommands[i], argc - 1, argv + 1));
	return argv[1][0] == '-' ? finish(cmd_run(argc, argv)) : refuse(argv[1]);
}
