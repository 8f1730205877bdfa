/* measure.c - slshim measure: the memory of running processes, with the library or without. Of a
 * master its children, too, and what all of them have together. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "os/file.h"
#include "os/line.h"
#include "os/number.h"
#include "os/process.h"
#include "probe.h"

/* ---------------------------------------------------------------- one process */

struct figures {
	pid_t pid, parent;
	char name[64];
	struct sample sample;
	const char *source; /* of what is shared, unshared and proportional */
	int error;          /* why there is none */
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

/* Opening is always allowed, and reading may not be. */
static bool read_by(probe_function *probe, pid_t pid, const char *name, struct figures *figures)
{
	char path[FILE_PATH_SIZE], byte;
	bool is_read;
	int fd;

	file_path_of(path, pid, name, -1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	is_read = fd >= 0 && probe(fd, &figures->sample);
	if (!is_read)
		figures->error = fd < 0 || pread(fd, &byte, 1, 0) < 0 ? errno : EIO;
	if (fd >= 0)
		close(fd);
	return is_read;
}

static bool measure(pid_t pid, struct figures *figures)
{
	*figures = (struct figures){.error = 0};
	if (!read_stat(pid, figures))
		return false;
	read_by(probe_statm, pid, "statm", figures);
	read_by(probe_status, pid, "status", figures);
	if (read_by(probe_smaps, pid, "smaps_rollup", figures))
		figures->source = "smaps_rollup";
	else if (read_by(probe_smaps, pid, "smaps", figures))
		figures->source = "smaps";
	return true;
}

/* ---------------------------------------------------------------------- table */

static const struct column {
	const char *title;
	enum quantity quantity;
} columns[] = {
    {"SIZE", QUANTITY_SIZE},
    {"RESIDENT", QUANTITY_RESIDENT},
    {"SHARED", QUANTITY_SHARED},
    {"UNSHARED", QUANTITY_UNSHARED},
    {"PROPORTIONAL", QUANTITY_PROPORTIONAL},
    {"SWAPPED", QUANTITY_SWAPPED},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static struct libscols_table *make_table(bool is_json)
{
	struct libscols_table *table;
	struct libscols_column *column;

	scols_init_debug(0);
	table = scols_new_table();
	if (table == NULL)
		return NULL;
	scols_table_enable_json(table, is_json);
	scols_table_set_name(table, "processes");
	scols_table_new_column(table, "PID", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "PROGRAM", 0, 0);
	for (int i = 0; i < COLUMNS; i++) {
		column = scols_table_new_column(table, columns[i].title, 0, SCOLS_FL_RIGHT);
		if (column != NULL)
			scols_column_set_json_type(column, SCOLS_JSON_NUMBER);
	}
	column = scols_table_new_column(table, "SOURCE", 0, 0);
	return column != NULL ? table : NULL;
}

static void set(struct libscols_line *line, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void set(struct libscols_line *line, size_t column, const char *format, ...)
{
	struct line text;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text.text, sizeof text.text, format, arguments);
	va_end(arguments);
	text.used = strlen(text.text);
	line_make_printable(&text);
	scols_line_set_data(line, column, text.text);
}

static void set_sizes(struct libscols_line *line, const struct sample *sample)
{
	for (int i = 0; i < COLUMNS; i++)
		if (sample_knows(sample, columns[i].quantity))
			set(line, (size_t)i + 2, "%" PRIu64, sample->value[columns[i].quantity] / 1024);
}

static void add_process(struct libscols_table *table, const struct figures *figures)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (line == NULL)
		return;
	set(line, 0, "%d", (int)figures->pid);
	set(line, 1, "%s", figures->name);
	set_sizes(line, &figures->sample);
	set(line, COLUMNS + 2, "%s",
	    figures->source != NULL ? figures->source : strerror(figures->error));
}

/* ----------------------------------------------------------------------- pool */

/* What a pool has together is the sum of what is proportional; a sum of resident memory would count
 * shared pages once for each process. */
static void add_up(struct sample *sum, const struct sample *one)
{
	static const enum quantity summed[] = {QUANTITY_UNSHARED, QUANTITY_PROPORTIONAL,
	                                       QUANTITY_SWAPPED};

	for (int i = 0; i < 3; i++)
		if (sample_knows(one, summed[i]) && sample_knows(sum, summed[i]))
			sum->value[summed[i]] = number_add(sum->value[summed[i]], one->value[summed[i]]);
		else
			sum->known &= ~(1u << summed[i]);
}

static void add_sum(struct libscols_table *table, const struct sample *sum, pid_t master)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (line == NULL)
		return;
	set(line, 1, "pool of %d", (int)master);
	set_sizes(line, sum);
}

static void add_children(struct libscols_table *table, pid_t parent, struct sample *sum,
                         unsigned *count)
{
	DIR *all = opendir("/proc");
	const struct dirent *entry;
	struct figures figures;

	while (all != NULL && (entry = readdir(all)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_stat((pid_t)atoi(entry->d_name), &figures) && figures.parent == parent &&
		    measure(figures.pid, &figures)) {
			add_process(table, &figures);
			add_up(sum, &figures.sample);
			++*count;
		}
	if (all != NULL)
		closedir(all);
}

static bool add_pool(struct libscols_table *table, pid_t pid)
{
	struct figures master;
	struct sample sum;
	unsigned count = 0;

	if (!measure(pid, &master)) {
		cmd_complain("there is no process %d", (int)pid);
		return false;
	}
	add_process(table, &master);
	sum = (struct sample){.known = ~0u};
	add_up(&sum, &master.sample);
	add_children(table, pid, &sum, &count);
	sum.known &= 1u << QUANTITY_UNSHARED | 1u << QUANTITY_PROPORTIONAL | 1u << QUANTITY_SWAPPED;
	if (count > 0)
		add_sum(table, &sum, pid);
	return true;
}

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

int cmd_measure(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	struct libscols_table *table;
	bool is_json = false, is_good = true;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == '?') {
			cmd_complain("%s is no option; accepted: --json", argv[optind - 1]);
			return EXIT_OWN_FAILURE;
		}
		is_json = true;
	}
	if (optind == argc)
		cmd_complain("measure wants the pids of processes");
	table = optind < argc ? make_table(is_json) : NULL;
	if (table == NULL)
		return EXIT_OWN_FAILURE;
	for (; optind < argc; optind++) {
		pid_t pid;

		is_good = read_pid(argv[optind], &pid) && add_pool(table, pid) && is_good;
	}
	scols_print_table(table);
	scols_unref_table(table);
	return is_good ? 0 : 1;
}
