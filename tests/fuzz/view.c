/* view.c - a page that anybody may have written, as an operator sees it: text ends and has no
 * control characters, counts are bounded, and JSON comes out whole.
 *
 * The input: words to write over an empty page that was introduced, each with its place. */
#include "cmd/view.h"

#include <jansson.h>
#include <stdlib.h>

#include "cmd/page_view.h"
#include "pool/header.h"

#include "fuzz.h"

static struct page page;

static const char *no_reason(unsigned remark)
{
	return remark == 1 ? "it is held" : NULL;
}

static void make_page(void)
{
	static const uint64_t limit[QUANTITIES];

	page.copy = calloc(1, sizeof *page.copy);
	pool_introduce(page.copy, &(struct pool_introduction){
	                              .program = "server",
	                              .method = "TERM@close",
	                              .whose = "SL_LEAVE",
	                              .settings = "",
	                              .listeners = "",
	                              .limit = limit,
	                              .limits = QUANTITIES,
	                              .reason = no_reason,
	                              .now = 1,
	                          });
}

static void scribble(struct input *input)
{
	while (input->size >= 11) {
		size_t at = (size_t)take_number(input, 3) * 8;
		uint64_t value = take_number(input, 8);

		if (at + sizeof value <= sizeof *page.copy)
			memcpy((char *)page.copy + at, &value, sizeof value);
	}
}

static void must_be_text(const char *text, size_t size)
{
	must(strnlen(text, size) < size);
	for (; *text != '\0'; text++)
		must((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void look(const struct pool_view *pool)
{
	struct view_sums sums = view_sum(pool);
	json_t *object = view_json(pool);
	char *text;

	must(pool->count <= POOL_SLOTS && sums.measured + sums.unmeasured <= pool->count);
	must_be_text(pool->program, sizeof pool->program);
	must_be_text(pool->settings, sizeof pool->settings);
	for (unsigned i = 0; i < pool->count; i++) {
		must(pool->workers[i].state < VIEW_STATES);
		must_be_text(pool->workers[i].held_by, sizeof pool->workers[i].held_by);
	}
	must(object != NULL);
	text = json_dumps(object, 0);
	must(text != NULL);
	free(text);
	json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	make_page();
	scribble(&input);
	if (pool_is_readable(page.copy, sizeof *page.copy)) {
		struct pool_view pool = page_view(&page, 1000000);

		look(&pool);
		free(pool.workers);
	}
	free(page.copy);
	return 0;
}
