/* ways.c - any text in place of a way of leaving: one that is read is described as something that
 * reads back as the same way. */
#include "exit_method.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	char *text = take_text(&input, '\0');
	struct line line, again;
	struct way way;

	if (text != NULL && way_read(text, &way)) {
		must(way.deed != DEED_UNSAID && way.moment <= MOMENT_IDLE);
		must((way.deed == DEED_SIGNAL) == (way.signal > 0));
		line_start(&line);
		way_describe(&way, &line);
		must_be_sound(&line);
		must(way_read(line.text, &way));
		line_start(&again);
		way_describe(&way, &again);
		must(strcmp(line.text, again.text) == 0);
	}
	free(text);
	return 0;
}
