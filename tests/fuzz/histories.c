/* histories.c - any lines in place of a log or a recording: whatever comes of them is a page, and
 * nothing on it ends the element that it is in. */
#include "cmd/history.h"

#include <stdarg.h>

#include "cmd/cmd.h"
#include "cmd/log_lines.h"
#include "cmd/recording.h"
#include "cmd/report_page.h"
#include "cmd/summary.h"

#include "fuzz.h"

/* In place of the command's, because nearly every input is complained about. */
void cmd_complain(const char *format, ...)
{
	(void)format;
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what)) != NULL) {
		count++;
		text += strlen(what);
	}
	return count;
}

static void must_be_a_page(const struct history *history)
{
	const struct report_source source = {.kind = "the log", .name = "a<b"};
	char *text = NULL;
	size_t size;
	FILE *page = open_memstream(&text, &size);

	report_page_write(page, history, &source);
	fclose(page);
	must(strlen(text) == size);
	must(count_of(text, "<script") == count_of(text, "</script>"));
	must(count_of(text, "<h2>") == history->count);
	must(count_of(text, "<script nonce=") == 2);
	free(text);
}

static void must_add_up(const struct pool_history *pool)
{
	struct steps steps = steps_of(pool, 20);
	struct tally sum = history_sum(pool);
	uint64_t leavings = 0;

	must(steps.count <= 21);
	for (unsigned i = 0; i < steps.count; i++)
		leavings += tally_in(pool, &steps, i).leavings;
	must(leavings == sum.leavings);
	must(pool->look_count < 2 * HISTORY_LOOKS && pool->remark_count <= HISTORY_REMARKS);
	for (unsigned i = 0; i < pool->look_count; i++)
		for (unsigned j = 0; j < pool->looks[i].count; j++)
			must(pool->looks[i].of[j].life < pool->life_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct history history = {.count = 0};
	char *line;

	while ((line = take_text(&input, '\n')) != NULL) {
		if (*line == '{')
			recording_read_line(&history, line, strlen(line));
		else
			log_read_line(&history, line);
		free(line);
	}
	history_sort(&history);
	for (unsigned i = 0; i < history.count; i++)
		must_add_up(&history.pools[i]);
	must_be_a_page(&history);
	history_free(&history);
	return 0;
}
