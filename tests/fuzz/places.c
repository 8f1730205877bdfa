/* places.c - any text in place of a listener's address: what is read is a place, is what it says,
 * and is described as something that reads back as the same place. */
#include "os/socket_address.h"

#include <netinet/in.h>

#include "config.h"

#include "fuzz.h"

/* As in the start line. What is foreign there is cut and cleaned, so of a Unix socket's path only
 * one that needs neither. */
static void look_at_description(const char *text, const struct socket_address *address)
{
	static const char name[] = " SL_LISTEN=";
	static struct config config;
	struct socket_address again;
	struct line line;
	char *found;

	if (address->family == AF_UNIX && strlen(text) > 60)
		return;
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 127)
			return;
	config = (struct config){.listens = 1, .listen = {*address}};
	line_start(&line);
	config_describe(&config, &line);
	found = strstr(line.text, name);
	must(found != NULL);
	found += sizeof name - 1;
	found[strcspn(found, " ")] = '\0';
	must(socket_address_read(found, &again));
	must(memcmp(&again, address, sizeof again) == 0);
}

static void look_at(const char *text, const struct socket_address *address)
{
	struct socket_address found = *address, other;

	must(address->family == AF_UNSPEC || address->family == AF_INET ||
	     address->family == AF_INET6 || address->family == AF_UNIX);
	if (address->family == AF_UNSPEC)
		found.family = AF_INET;
	must(socket_address_is(&found, address) && socket_address_may_come_from(&found, &found));
	must(address->family == AF_UNIX || address->port > 0);
	other = found;
	other.port++;
	must(address->family == AF_UNIX || !socket_address_is(&other, address));
	look_at_description(text, address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	char *text = take_text(&input, '\0');
	struct socket_address address;

	if (text != NULL && socket_address_read(text, &address))
		look_at(text, &address);
	free(text);
	return 0;
}
