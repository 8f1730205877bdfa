/* measure.c - slshim measure: the memory of running processes, with the library or without. Of a
 * master its children, too, and what all of them have together. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/process_memory.h"
#include "cmd/table.h"
#include "os/number.h"

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

static void add_process(const struct output *output, const struct process_memory *process,
                        const char *role)
{
	struct table_row row = table_add(output->table);

	table_set(row, PID, "%d", (int)process->pid);
	table_set(row, PROGRAM, "%s", process->name);
	table_set(row, ROLE, "%s", role);
	for (int i = 0; i < MEASURED; i++)
		if (sample_knows(&process->sample, measured[i].quantity))
			set_size(output, row, measured[i].column, process->sample.value[measured[i].quantity]);
	table_set(row, SOURCE, "%s", process->sources.text);
	table_set(row, UNREADABLE, "%s", process->unreadable.text);
}

/* ----------------------------------------------------------------------- pool */

/* What a pool has together is the sum of what is proportional; a sum of resident memory would count
 * shared pages once for each process. */
struct pool_sum {
	uint64_t unshared, proportional, swapped;
	unsigned processes, unknown, swap_unknown; /* those of which these are not known */
};

static void add_up(struct pool_sum *sum, const struct process_memory *process)
{
	const struct sample *sample = &process->sample;

	sum->processes++;
	if (!sample_knows(sample, QUANTITY_UNSHARED) || !sample_knows(sample, QUANTITY_PROPORTIONAL)) {
		sum->unknown++;
		return;
	}
	sum->unshared = number_add(sum->unshared, sample->value[QUANTITY_UNSHARED]);
	sum->proportional = number_add(sum->proportional, sample->value[QUANTITY_PROPORTIONAL]);
	if (process->swapped_share == UINT64_MAX)
		sum->swap_unknown++;
	else
		sum->swapped = number_add(sum->swapped, process->swapped_share);
}

static void add_sum(const struct output *output, const struct pool_sum *sum,
                    const struct process_memory *master)
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

struct pool {
	const struct output *output;
	struct pool_sum sum;
	const struct process_memory *master;
};

/* The master comes first, if it turns out to be one. */
static void begin_pool(struct pool *pool)
{
	add_process(pool->output, pool->master, "master");
	add_up(&pool->sum, pool->master);
}

static void add_child(const struct process_memory *child, void *argument)
{
	struct pool *pool = argument;
	struct process_memory process;

	if (!process_memory_read(child->pid, &process))
		return;
	if (pool->sum.processes == 0)
		begin_pool(pool);
	add_process(pool->output, &process, "worker");
	if (process.state != 'Z') /* a zombie has no memory, and takes nothing from what is known */
		add_up(&pool->sum, &process);
}

static bool add_pool(const struct output *output, pid_t pid)
{
	struct process_memory master;
	struct pool pool = {.output = output, .master = &master};

	if (!process_memory_read(pid, &master)) {
		cmd_complain("there is no process %d, or it is hidden from this user", (int)pid);
		return false;
	}
	process_memory_each_child(pid, add_child, &pool);
	if (pool.sum.processes == 0)
		add_process(output, &master, "process");
	else
		add_sum(output, &pool.sum, &master);
	return true;
}

/* -------------------------------------------------------------------- command */

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
		if (!cmd_read_pid(argv[i], &pid))
			return EXIT_OWN_FAILURE;
	output.unit = is_json ? 1 : KILOBYTE;
	output.table = table_new("processes", columns, is_json);
	for (int i = optind; i < argc; i++)
		if (cmd_read_pid(argv[i], &pid))
			is_good = add_pool(&output, pid) && is_good;
	table_end(output.table);
	return is_good ? 0 : 1;
}
