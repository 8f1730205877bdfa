/* status.c - slshim status: the pools of this host, and each of their workers, as they last told. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/pages.h"
#include "cmd/table.h"
#include "core/worker.h"
#include "os/line.h"
#include "os/number.h"
#include "os/process.h"
#include "pool/figures.h"
#include "pool/slots.h"
#include "quantity.h"

/* -------------------------------------------------------------------- workers */

static const char *const phases[] = {
    [SERVING] = "serving", [DRAINING] = "draining", [LEAVING] = "leaving", [STAYING] = "staying"};
enum { PHASES = sizeof phases / sizeof *phases };

enum column { PID, STATE, AGE, CONNECTIONS, OPEN, UNSHARED, PROPORTIONAL, RESIDENT, SWAPPED, TOLD };
static const struct table_column columns[] = {
    {"PID", TABLE_NUMBER},         {"STATE", TABLE_TEXT},     {"AGE", TABLE_NUMBER},
    {"CONNECTIONS", TABLE_NUMBER}, {"OPEN", TABLE_NUMBER},    {"UNSHARED", TABLE_NUMBER},
    {"PROPORTIONAL", TABLE_NUMBER}, {"RESIDENT", TABLE_NUMBER}, {"SWAPPED", TABLE_NUMBER},
    {"TOLD", TABLE_NUMBER},        {NULL, TABLE_TEXT},
};

/* One that is over a limit and serves on waits for its turn. */
static const char *state_of(const struct pool_slot *slot, const struct pool_figures *told)
{
	if (slot->holder & slot_has_left)
		return "away";
	if (slot->died != 0)
		return "dead";
	if (told->phase == SERVING && slot->excess != 0)
		return "waiting";
	return told->phase < PHASES ? phases[told->phase] : "unknown";
}

static void set_kilobytes(struct table_row row, enum column column, uint64_t bytes)
{
	if (bytes > 0)
		table_set(row, column, "%" PRIu64, bytes / 1024);
}

static void add_worker(struct table *table, const struct pool_slot *slot, uint64_t now)
{
	struct pool_figures told = pool_told(slot);
	struct table_row row = table_add(table);

	table_set(row, PID, "%u", (unsigned)(uint32_t)slot->holder);
	table_set(row, STATE, "%s", state_of(slot, &told));
	if (slot->born > 0 && slot->born <= now)
		table_set(row, AGE, "%" PRIu64, (now - slot->born) / 1000);
	if (told.told == 0 || told.told > now)
		return;
	table_set(row, CONNECTIONS, "%" PRIu64, told.served);
	table_set(row, OPEN, "%u", told.open);
	set_kilobytes(row, UNSHARED, told.memory.unshared);
	set_kilobytes(row, PROPORTIONAL, told.memory.proportional);
	set_kilobytes(row, RESIDENT, told.resident);
	set_kilobytes(row, SWAPPED, told.swapped);
	table_set(row, TOLD, "%" PRIu64, (now - told.told) / 1000);
}

/* ---------------------------------------------------------------------- pools */

static void tell_leavings(const struct pool_counts *counts)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (counts->leavings[q] > 0)
			printf("  left over %s: %" PRIu64 "\n", quantity_kinds[q].variable, counts->leavings[q]);
	if (counts->leavings[POOL_REASONS - 1] > 0)
		printf("  left because the application asked: %" PRIu64 "\n",
		       counts->leavings[POOL_REASONS - 1]);
}

static void tell(const struct page *page, bool is_json)
{
	const struct pool_header *header = &page->pool->header;
	struct table *table = table_new("workers", columns, is_json);
	uint64_t now = process_clock();

	for (unsigned i = 0; i < slots_used(page->pool) && table != NULL; i++)
		if (page->pool->slots[i].holder >> 32 != 0)
			add_worker(table, &page->pool->slots[i], now);
	if (!is_json) {
		table_print_foreign("%s, master %d; %s (%s);%s", header->program, (int)page->master,
		                    header->method, header->whose, header->settings);
		tell_leavings(&page->pool->counts);
	}
	table_end(table);
}

int cmd_status(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	struct pages pages;
	bool is_json = false;
	uint64_t only = 0;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (option == '?') {
			cmd_complain("%s is no option; accepted: --json", argv[optind - 1]);
			return EXIT_OWN_FAILURE;
		}
		is_json = true;
	}
	if (optind < argc && number_read(argv[optind], &only) == NULL) {
		cmd_complain("\"%s\" is no pid; accepted: a number", argv[optind]);
		return EXIT_OWN_FAILURE;
	}
	if (!pages_find(&pages, (pid_t)only)) {
		cmd_complain("/proc: %s", strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	for (unsigned i = 0; i < pages.count; i++)
		tell(&pages.of[i], is_json);
	if (pages.unreadable > 0)
		cmd_complain("%u more processes have a page that may not be read", pages.unreadable);
	if (pages.count == 0)
		cmd_complain("there is no pool that may be read");
	option = pages.count > 0 ? 0 : 1;
	pages_free(&pages);
	return option;
}
