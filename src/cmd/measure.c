/* measure.c - slshim measure: the memory of running processes, with the library or without. Of a
 * master its children, too, and what all of them have together. */
#include <getopt.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/process_memory.h"
#include "os/line.h"
#include "os/number.h"

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

static void add_process(struct libscols_table *table, const struct process_memory *process)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (line == NULL)
		return;
	set(line, 0, "%d", (int)process->pid);
	set(line, 1, "%s", process->name);
	set_sizes(line, &process->sample);
	set(line, COLUMNS + 2, "%s",
	    process->source != NULL ? process->source : strerror(process->error));
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

struct pool {
	struct libscols_table *table;
	struct sample sum;
	unsigned count;
};

static void add_child(const struct process_memory *child, void *argument)
{
	struct pool *pool = argument;
	struct process_memory process;

	if (!process_memory_read(child->pid, &process))
		return;
	add_process(pool->table, &process);
	add_up(&pool->sum, &process.sample);
	pool->count++;
}

static bool add_pool(struct libscols_table *table, pid_t pid)
{
	struct pool pool = {.table = table, .sum = {.known = ~0u}};
	struct process_memory master;

	if (!process_memory_read(pid, &master)) {
		cmd_complain("there is no process %d", (int)pid);
		return false;
	}
	add_process(table, &master);
	add_up(&pool.sum, &master.sample);
	process_memory_each_child(pid, add_child, &pool);
	pool.sum.known &=
	    1u << QUANTITY_UNSHARED | 1u << QUANTITY_PROPORTIONAL | 1u << QUANTITY_SWAPPED;
	if (pool.count > 0)
		add_sum(table, &pool.sum, pid);
	return true;
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

		is_good = process_memory_read_pid(argv[optind], &pid) && add_pool(table, pid) && is_good;
	}
	scols_print_table(table);
	scols_unref_table(table);
	return is_good ? 0 : 1;
}
