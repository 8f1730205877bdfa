/* metrics_request.c - see metrics_request.h; RFC 9110, 12.5.1 has Accept. */
#include "cmd/metrics_request.h"

#include <netdb.h>
#include <string.h>
#include <strings.h>

#include "os/number.h"

/* -------------------------------------------------------------------- address */

static bool is_port(const char *text)
{
	uint64_t port;
	const char *end = number_read(text, &port);

	return end != NULL && *end == '\0' && port > 0 && port <= UINT16_MAX;
}

/* "" is 127.0.0.1. An address with colons has brackets around it. */
static bool read_host(char *host, size_t size, const char *text, size_t length)
{
	static const char loopback[] = "127.0.0.1";

	if (length == 0) {
		text = loopback;
		length = sizeof loopback - 1;
	} else if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length) != NULL) {
		return false;
	}
	if (length >= size)
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	return true;
}

bool listen_address_read(struct listen_address *address, const char *text)
{
	static const struct addrinfo wish = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	                                     .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(text, ':');
	const char *port = colon != NULL ? colon + 1 : text;
	struct addrinfo *found;
	char host[128];

	if (!is_port(port) ||
	    !read_host(host, sizeof host, text, colon != NULL ? (size_t)(colon - text) : 0) ||
	    getaddrinfo(host, port, &wish, &found) != 0)
		return false;
	memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
	address->length = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

/* --------------------------------------------------------------------- accept */

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* "q=0.75": thousandths. What is no such weight is the least, so that it decides nothing. */
static unsigned read_weight(const char *text)
{
	static const unsigned units[] = {1000, 100, 10, 1};
	unsigned weight = 0;

	for (int i = 0; i < 4 && *text >= '0' && *text <= '9'; i++) {
		weight += (unsigned)(*text++ - '0') * units[i];
		if (i == 0 && *text == '.')
			text++;
	}
	return weight <= 1000 ? weight : 0;
}

/* Of one element, "text/plain;version=0.0.4;q=0.5", which ends at `end`. */
static unsigned weight_of(const char *element, const char *end)
{
	const char *at = memchr(element, ';', (size_t)(end - element));

	for (; at != NULL; at = memchr(at, ';', (size_t)(end - at))) {
		at = skip_blanks(at + 1);
		if (strncasecmp(at, "q=", 2) == 0)
			return read_weight(at + 2);
	}
	return 1000;
}

static bool is_of_type(const char *element, const char *type)
{
	size_t length = strlen(type);

	return strncasecmp(element, type, length) == 0 &&
	       strchr(",; \t", element[length]) != NULL; /* or its end */
}

/* The largest weight that is given to a type by its name; 0: none. */
static unsigned find_weight(const char *accept, const char *type)
{
	unsigned most = 0;

	for (const char *at = accept; *at != '\0';) {
		const char *element = skip_blanks(at), *end = element + strcspn(element, ",");

		if (is_of_type(element, type) && weight_of(element, end) > most)
			most = weight_of(element, end);
		at = *end == ',' ? end + 1 : end;
	}
	return most;
}

enum exposition_format accepted_format(const char *accept)
{
	unsigned weight = accept != NULL ? find_weight(accept, "application/openmetrics-text") : 0;

	return weight > 0 && weight >= find_weight(accept, "text/plain") ? EXPOSITION_OPENMETRICS
	                                                                 : EXPOSITION_CLASSIC;
}
