/* metrics_listen.c - with libmicrohttpd; without it, an error. Its thread serves one request at a
 * time; this one waits for the signal to end. */
#include "cmd/metrics_listen.h"

#include "cmd/cmd.h"

#ifdef HAVE_MICROHTTPD

#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
	metrics_source *source;
	const void *argument;
};

/* ------------------------------------------------------------------- requests */

/* A connection is for one request: requests are rare, and one that stays open would be one of few.
 */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              struct MHD_Response *response, const char *header, const char *value)
{
	enum MHD_Result result = MHD_NO;

	if (response == NULL)
		return MHD_NO;
	if (MHD_add_response_header(response, header, value) == MHD_YES &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* `why` stays. */
static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *why,
                              const char *header, const char *value)
{
	return answer(connection, status,
	              MHD_create_response_from_buffer(strlen(why), (char *)why, MHD_RESPMEM_PERSISTENT),
	              header, value);
}

static enum MHD_Result answer_metrics(const struct server *server,
                                      struct MHD_Connection *connection)
{
	const char *accept =
	    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	enum exposition_format format = accepted_format(accept);
	size_t length = 0;
	char *text = server->source(server->argument, format, &length);

	if (text == NULL)
		return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "There are no figures.\n",
		              MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
	return answer(connection, MHD_HTTP_OK,
	              MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE),
	              MHD_HTTP_HEADER_CONTENT_TYPE, exposition_content_types[format]);
}

static enum MHD_Result handle(void *argument, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *body_size, void **state)
{
	(void)version, (void)body, (void)body_size, (void)state;
	if (strcmp(path, "/metrics") != 0)
		return refuse(connection, MHD_HTTP_NOT_FOUND, "The metrics are at /metrics.\n",
		              MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Use GET or HEAD.\n",
		              MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return answer_metrics(argument, connection);
}

/* --------------------------------------------------------------------- server */

/* Bound here and not by the library, which does not tell why it could not be. */
static int open_listener(const struct listen_address *address)
{
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    bind(fd, (const struct sockaddr *)&address->socket, address->length) == 0 &&
	    listen(fd, SOMAXCONN) == 0)
		return fd;
	close(fd);
	return -1;
}

static struct MHD_Daemon *start(int listener, struct server *server)
{
	enum { CONNECTIONS = 32, OF_ONE_ADDRESS = 16, IDLE_SECONDS = 10, HEADERS = 16 * 1024 };

	return MHD_start_daemon(
	    MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, handle, server, /* then its options */
	    MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)OF_ONE_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS,
	    MHD_OPTION_END);
}

int metrics_listen(const struct listen_address *address, const char *name, metrics_source *source,
                   const void *argument)
{
	struct server server = {source, argument};
	struct MHD_Daemon *daemon;
	int listener, signal;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL); /* in the thread that follows, too */
	listener = open_listener(address);
	if (listener < 0) {
		cmd_complain("--listen %s: %s", name, strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	daemon = start(listener, &server);
	if (daemon == NULL) {
		cmd_complain("--listen %s: libmicrohttpd does not start", name);
		close(listener);
		return EXIT_OWN_FAILURE;
	}
	sigwait(&ends, &signal);
	MHD_stop_daemon(daemon);
	return 0;
}

#else

int metrics_listen(const struct listen_address *address, const char *name, metrics_source *source,
                   const void *argument)
{
	(void)address, (void)source, (void)argument;
	cmd_complain("--listen %s: this slshim was built without libmicrohttpd", name);
	return EXIT_OWN_FAILURE;
}

#endif
