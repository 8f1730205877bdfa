/* measure.c - slshim measure: the memory of running processes, with the library or without. Of a
 * master its children, too, and what all of them have together. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/table.h"
#include "os/file.h"
#include "os/line.h"
#include "os/number.h"
#include "probe.h"

/* ---------------------------------------------------------------- one process */

struct figures {
	pid_t pid, parent;
	char name[64];
	struct sample sample;
	uint64_t swapped_share; /* bytes swapped out, each divided by the number of processes that have
	                           it; UINT64_MAX: unknown */
	struct line sources;    /* the files that were read */
	struct line unreadable; /* those that may not be, and why */
};

/* "4711 (name) S 1 ...": a name may have parentheses, too. */
static bool read_stat(pid_t pid, struct figures *figures)
{
	char path[FILE_PATH_SIZE], text[512];
	const char *begin, *end;
	uint64_t parent;

	file_path_of(path, pid, "stat", -1);
	if (!file_read(path, text, sizeof text) || (begin = strchr(text, '(')) == NULL ||
	    (end = strrchr(text, ')')) == NULL || strlen(end) < 4 ||
	    number_read(end + 4, &parent) == NULL)
		return false;
	snprintf(figures->name, sizeof figures->name, "%.*s", (int)(end - begin - 1), begin + 1);
	figures->pid = pid;
	figures->parent = (pid_t)parent;
	return true;
}

static void add_word(struct line *line, const char *separator, const char *word)
{
	if (line->used > 0)
		line_text(line, separator);
	line_text(line, word);
}

static void note_unreadable(struct figures *figures, const char *name, int error)
{
	add_word(&figures->unreadable, ", ", name);
	line_text(&figures->unreadable, ": ");
	line_text(&figures->unreadable, error != 0 ? strerror(error) : "no figures");
}

/* Some kernels refuse to open a file, and others to read it. */
static bool read_by(probe_function *probe, const char *name, struct figures *figures, int *error)
{
	char path[FILE_PATH_SIZE], byte;
	bool is_read;
	int fd;

	file_path_of(path, figures->pid, name, -1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	is_read = fd >= 0 && probe(fd, &figures->sample);
	*error = is_read || (fd >= 0 && pread(fd, &byte, 1, 0) >= 0) ? 0 : errno;
	if (fd >= 0)
		close(fd);
	if (is_read)
		add_word(&figures->sources, " ", name);
	return is_read;
}

static bool add_swapped_share(const char *line, void *argument)
{
	static const char key[] = "SwapPss:";
	uint64_t kilobytes, *sum = argument;

	if (strncmp(line, key, sizeof key - 1) == 0 &&
	    number_read_kilobytes(line + sizeof key - 1, &kilobytes) && kilobytes <= UINT64_MAX / 1024)
		*sum = number_add(*sum == UINT64_MAX ? 0 : *sum, kilobytes * 1024);
	return true;
}

/* The line came with Linux 4.3. */
static void read_swapped_share(const char *name, struct figures *figures)
{
	char path[FILE_PATH_SIZE];

	figures->swapped_share = UINT64_MAX;
	file_path_of(path, figures->pid, name, -1);
	file_each_line(path, add_swapped_share, &figures->swapped_share);
}

/* Reads all that is known of one process; false if there is none, or /proc hides it. */
static bool measure(pid_t pid, struct figures *figures)
{
	int error;

	*figures = (struct figures){.swapped_share = UINT64_MAX};
	if (!read_stat(pid, figures))
		return false;
	if (!read_by(probe_statm, "statm", figures, &error)) {
		line_text(&figures->unreadable, "it has no memory of its own");
		return true;
	}
	if (!read_by(probe_status, "status", figures, &error))
		note_unreadable(figures, "status", error);
	if (read_by(probe_smaps, "smaps_rollup", figures, &error))
		read_swapped_share("smaps_rollup", figures);
	else if (error != ENOENT)
		note_unreadable(figures, "smaps_rollup", error);
	else if (read_by(probe_smaps, "smaps", figures, &error))
		read_swapped_share("smaps", figures);
	else
		note_unreadable(figures, "smaps", error);
	return true;
}

/* ---------------------------------------------------------------------- table */

enum column {
	PID,
	PROGRAM,
	ROLE,
	SIZE,
	RESIDENT,
	SHARED,
	UNSHARED,
	PROPORTIONAL,
	SWAPPED,
	SOURCE,
	UNREADABLE
};
static const struct table_column columns[] = {
    [PID] = {"PID", TABLE_NUMBER},
    [PROGRAM] = {"PROGRAM", TABLE_TEXT},
    [ROLE] = {"ROLE", TABLE_TEXT},
    [SIZE] = {"SIZE", TABLE_NUMBER},
    [RESIDENT] = {"RESIDENT", TABLE_NUMBER},
    [SHARED] = {"SHARED", TABLE_NUMBER},
    [UNSHARED] = {"UNSHARED", TABLE_NUMBER},
    [PROPORTIONAL] = {"PROPORTIONAL", TABLE_NUMBER},
    [SWAPPED] = {"SWAPPED", TABLE_NUMBER},
    [SOURCE] = {"SOURCE", TABLE_TEXT},
    [UNREADABLE] = {"UNREADABLE", TABLE_TEXT},
    {NULL, TABLE_TEXT},
};

static const struct {
	enum quantity quantity;
	enum column column;
} measured[] = {
    {QUANTITY_SIZE, SIZE},
    {QUANTITY_RESIDENT, RESIDENT},
    {QUANTITY_SHARED, SHARED},
    {QUANTITY_UNSHARED, UNSHARED},
    {QUANTITY_PROPORTIONAL, PROPORTIONAL},
    {QUANTITY_SWAPPED, SWAPPED},
};
enum { MEASURED = sizeof measured / sizeof *measured };

struct output {
	struct table *table;
	uint64_t unit; /* bytes */
};

static void set_size(const struct output *output, struct table_row row, enum column column,
                     uint64_t bytes)
{
	table_set(row, column, "%" PRIu64, bytes / output->unit);
}

static void add_process(const struct output *output, const struct figures *figures,
                        const char *role)
{
	struct table_row row = table_add(output->table);

	table_set(row, PID, "%d", (int)figures->pid);
	table_set(row, PROGRAM, "%s", figures->name);
	table_set(row, ROLE, "%s", role);
	for (int i = 0; i < MEASURED; i++)
		if (sample_knows(&figures->sample, measured[i].quantity))
			set_size(output, row, measured[i].column, figures->sample.value[measured[i].quantity]);
	table_set(row, SOURCE, "%s", figures->sources.text);
	table_set(row, UNREADABLE, "%s", figures->unreadable.text);
}

/* ----------------------------------------------------------------------- pool */

/* What a pool has together is the sum of what is proportional; a sum of resident memory would count
 * shared pages once for each process. */
struct pool_sum {
	uint64_t unshared, proportional, swapped;
	unsigned processes, unknown, swap_unknown; /* those of which these are not known */
};

static void add_up(struct pool_sum *sum, const struct figures *figures)
{
	const struct sample *sample = &figures->sample;

	sum->processes++;
	if (!sample_knows(sample, QUANTITY_UNSHARED) || !sample_knows(sample, QUANTITY_PROPORTIONAL)) {
		sum->unknown++;
		return;
	}
	sum->unshared = number_add(sum->unshared, sample->value[QUANTITY_UNSHARED]);
	sum->proportional = number_add(sum->proportional, sample->value[QUANTITY_PROPORTIONAL]);
	if (figures->swapped_share == UINT64_MAX)
		sum->swap_unknown++;
	else
		sum->swapped = number_add(sum->swapped, figures->swapped_share);
}

static void add_sum(const struct output *output, const struct pool_sum *sum,
                    const struct figures *master)
{
	struct table_row row = table_add(output->table);

	table_set(row, PID, "%d", (int)master->pid);
	table_set(row, PROGRAM, "%s", master->name);
	table_set(row, ROLE, "pool");
	if (sum->unknown > 0) {
		table_set(row, UNREADABLE, "%u of %u processes", sum->unknown, sum->processes);
		return;
	}
	if (sum->proportional >= sum->unshared)
		set_size(output, row, SHARED, sum->proportional - sum->unshared);
	set_size(output, row, UNSHARED, sum->unshared);
	set_size(output, row, PROPORTIONAL, sum->proportional);
	if (sum->swap_unknown == 0)
		set_size(output, row, SWAPPED, sum->swapped);
	table_set(row, SOURCE, "sums; shared pages once");
}

static void add_children(const struct output *output, pid_t parent, struct pool_sum *sum)
{
	DIR *all = opendir("/proc");
	const struct dirent *entry;
	struct figures figures;
	uint64_t pid;

	while (all != NULL && (entry = readdir(all)) != NULL)
		if (number_read(entry->d_name, &pid) != NULL && read_stat((pid_t)pid, &figures) &&
		    figures.parent == parent && measure(figures.pid, &figures)) {
			add_process(output, &figures, "worker");
			add_up(sum, &figures);
		}
	if (all != NULL)
		closedir(all);
}

static bool has_child(pid_t parent)
{
	DIR *all = opendir("/proc");
	const struct dirent *entry;
	struct figures figures;
	bool is_found = false;
	uint64_t pid;

	while (all != NULL && !is_found && (entry = readdir(all)) != NULL)
		is_found = number_read(entry->d_name, &pid) != NULL && read_stat((pid_t)pid, &figures) &&
		           figures.parent == parent;
	if (all != NULL)
		closedir(all);
	return is_found;
}

static bool add_pool(const struct output *output, pid_t pid)
{
	struct figures master;
	struct pool_sum sum = {.processes = 0};

	if (!measure(pid, &master)) {
		cmd_complain("there is no process %d, or it is hidden from this user", (int)pid);
		return false;
	}
	if (!has_child(pid)) {
		add_process(output, &master, "process");
		return true;
	}
	add_process(output, &master, "master");
	add_up(&sum, &master);
	add_children(output, pid, &sum);
	add_sum(output, &sum, &master);
	return true;
}

/* -------------------------------------------------------------------- command */

static bool read_pid(const char *word, pid_t *pid)
{
	uint64_t number;
	const char *end = number_read(word, &number);
	bool is_pid = end != NULL && *end == '\0' && number > 0 && number <= INT32_MAX;

	if (!is_pid)
		cmd_complain("\"%s\" is no pid; accepted: a number", word);
	*pid = is_pid ? (pid_t)number : 0;
	return is_pid;
}

static bool read_options(int argc, char **argv, bool *is_json)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == '?') {
			cmd_complain("%s is no option; accepted: --json, and pids", argv[optind - 1]);
			return false;
		}
		*is_json = true;
	}
	if (optind == argc)
		cmd_complain("there is no pid; accepted: the pids of masters or other processes");
	return optind < argc;
}

int cmd_measure(int argc, char **argv)
{
	enum { KILOBYTE = 1024 };
	struct output output;
	bool is_json = false, is_good = true;
	pid_t pid;

	if (!read_options(argc, argv, &is_json))
		return EXIT_OWN_FAILURE;
	for (int i = optind; i < argc; i++)
		if (!read_pid(argv[i], &pid))
			return EXIT_OWN_FAILURE;
	output.unit = is_json ? 1 : KILOBYTE;
	output.table = table_new("processes", columns, is_json);
	for (int i = optind; i < argc; i++)
		if (read_pid(argv[i], &pid))
			is_good = add_pool(&output, pid) && is_good;
	table_end(output.table);
	return is_good ? 0 : 1;
}
