/* environment.c - any environment: it is understood as something that makes sense, or refused in
 * words that fit a line. A line of the input is a variable, of which the first byte may stand for
 * the name of one of ours. */
#include "config.h"

#include "fuzz.h"

enum { MOST = 40, FIRST_NAME = 128 };

static char *take_variable(struct input *input)
{
	char *text = take_text(input, '\n'), *whole;
	const char *name;

	if (text == NULL || (unsigned char)text[0] < FIRST_NAME)
		return text;
	name = config_variable((unsigned char)text[0] - FIRST_NAME);
	if (name == NULL)
		return text;
	whole = malloc(strlen(name) + strlen(text) + 1);
	sprintf(whole, "%s=%s", name, text + 1);
	free(text);
	return whole;
}

static void look_at_remarks(const struct remarks *remarks)
{
	for (unsigned i = 0; i < REMARKS_KEPT && i < remarks->errors + remarks->warnings; i++) {
		struct line line;

		must(memchr(remarks->text[i], '\0', REMARK_SIZE) != NULL);
		line_start(&line);
		line_text(&line, remarks->text[i]);
		must(line.used > 0);
		must_be_sound(&line);
	}
}

static void look_at_config(struct config *config)
{
	must(config->check_every >= 1 && config->strikes >= 1);
	must(config->max_leaving >= 1 && config->max_leaving <= MAX_LEAVING);
	must(!config->max_leaving_is_percent || config->max_leaving <= 100);
	must(config->replace_timeout == 0 || config->replace_timeout >= 1000);
	must(config->probe_budget >= 1 && config->probe_budget <= 100);
	must(config->jitter <= 90 && config->pressure <= 100);
	must(config->onlys <= CONFIG_PROGRAMS && config->listens <= CONFIG_ADDRESSES);
	must(config->log != LOG_FILE || config->log_path[0] == '/');
	config_scale(config, UINT64_MAX);
	for (int q = 0; q < QUANTITIES; q++)
		must(config->percent[q] <= 100 && (config->percent[q] == 0 || config->limit[q] > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	char *environment[MOST + 1] = {NULL};
	static struct config config;
	static struct remarks remarks;
	static char room[CONFIG_ROOM];
	struct config_copy kept;
	struct line line;
	unsigned count = 0;

	while (count < MOST && (environment[count] = take_variable(&input)) != NULL)
		count++;
	environment[count] = NULL;
	config_copy(&kept, room, sizeof room, environment);
	while (count > 0)
		free(environment[--count]); /* no pointer into it is kept */
	config_read(&config, &remarks, &kept);
	config_warn_of_unknown(&remarks, &kept);
	look_at_remarks(&remarks);
	if (remarks.errors > 0)
		return 0;
	look_at_config(&config);
	line_start(&line);
	config_describe(&config, &line);
	must_be_sound(&line);
	return 0;
}
