/* places.c - any text in place of a listener's address: what is read is a place, is what it says,
 * and is described as something that reads back as the same place. */
#include "os/socket_address.h"

#include <netinet/in.h>

#include "config.h"

#include "fuzz.h"

/* As in the start line. What is foreign there is cut and cleaned, so of a Unix socket's path only
 * one that needs neither. */
static void look_at_description(const char *text, const struct place *place)
{
	static const char name[] = " SL_LISTEN=";
	static struct config config;
	struct place again;
	struct line line;
	char *found;

	if (place->family == AF_UNIX && strlen(text) > 60)
		return;
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 127)
			return;
	config = (struct config){.listens = 1, .listen = {*place}};
	line_start(&line);
	config_describe(&config, &line);
	found = strstr(line.text, name);
	must(found != NULL);
	found += sizeof name - 1;
	found[strcspn(found, " ")] = '\0';
	must(place_read(found, &again));
	must(memcmp(&again, place, sizeof again) == 0);
}

static void look_at(const char *text, const struct place *place)
{
	struct place found = *place, other;

	must(place->family == AF_UNSPEC || place->family == AF_INET || place->family == AF_INET6 ||
	     place->family == AF_UNIX);
	if (place->family == AF_UNSPEC)
		found.family = AF_INET;
	must(place_is(&found, place) && place_may_come_from(&found, &found));
	must(place->family == AF_UNIX || place->port > 0);
	other = found;
	other.port++;
	must(place->family == AF_UNIX || !place_is(&other, place));
	look_at_description(text, place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	char *text = take_text(&input, '\0');
	struct place place;

	if (text != NULL && place_read(text, &place))
		look_at(text, &place);
	free(text);
	return 0;
}
