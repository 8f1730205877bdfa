/* settings.c - any file of settings, and any image: what is read of them is a list of assignments,
 * each name once. The first byte of the input decides between the two. No other file is read. */
#include "cmd/settings.h"

#include "cmd/exports.h"

#include "fuzz.h"

static void look_at(const struct settings *settings)
{
	for (size_t i = 0; i < settings->variables.count; i++) {
		const char *one = settings->variables.of[i];
		size_t length = strcspn(one, "=");

		must(length > 0 && one[length] == '=');
		must(strspn(one, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
		     length);
		for (size_t j = 0; j < i; j++)
			must(strncmp(one, settings->variables.of[j], length + 1) != 0);
	}
	must((settings->program != NULL) == (settings->command.count > 0));
	for (size_t i = 0; i < settings->wrong.count; i++)
		must(strncmp(settings->wrong.of[i], "FILE", 4) == 0);
}

static void read_settings(const uint8_t *data, size_t size)
{
	struct settings settings = {.program = NULL};
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	settings_read_text(&settings, "FILE", text, size);
	free(text);
	list_clear(&settings.files);
	settings_end(&settings);
	look_at(&settings);
	settings_free(&settings);
}

static void read_image(const uint8_t *data, size_t size)
{
	unsigned char *copy = malloc(size);
	struct exports exports = {copy, size};

	memcpy(copy, data, size);
	exports_symbol(&exports, "ap_mpm_query");
	exports_text(&exports, "fpm-fcgi");
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 && data[0] == 'I')
		read_image(data + 1, size - 1);
	else if (size > 1)
		read_settings(data + 1, size - 1);
	return 0;
}
