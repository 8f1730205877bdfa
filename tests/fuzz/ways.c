/* ways.c - any text in place of a way of leaving: one that is read is described as something that
 * reads back as the same way. */
#include "exit_method.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	char *text = take_text(&input, '\0');
	struct line line, again;
	struct exit_method method;

	if (text != NULL && exit_method_read(text, &method)) {
		must(method.action != ACTION_UNSPECIFIED && method.point <= POINT_IDLE);
		must((method.action == ACTION_SIGNAL) == (method.signal > 0));
		line_start(&line);
		exit_method_describe(&method, &line);
		must_be_sound(&line);
		must(exit_method_read(line.text, &method));
		line_start(&again);
		exit_method_describe(&method, &again);
		must(strcmp(line.text, again.text) == 0);
	}
	free(text);
	return 0;
}
