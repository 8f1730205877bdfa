/* metrics.c - slshim metrics: the pools of this host for Prometheus, on standard output, in a file
 * for node_exporter, or over HTTP. */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/metrics_listen.h"
#include "cmd/metrics_text.h"
#include "cmd/view.h"
#include "os/number.h"

struct request {
	const char *file, *listen; /* NULL: not given */
	pid_t only;
	bool is_openmetrics, is_per_worker;
};

/* ----------------------------------------------------------------------- text */

static uint64_t milliseconds_since_1970(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static char *render(const struct request *request, const struct views *views,
                    enum exposition_format format, size_t *length)
{
	struct metrics_wish wish = {format, request->is_per_worker, milliseconds_since_1970()};
	char *text = metrics_text(views, &wish, length);

	if (text == NULL)
		cmd_complain("there is no memory for the metrics");
	return text;
}

/* Nanoseconds of processor time, which it takes to measure hundreds of workers. */
enum { BUDGET = 100000000 };

/* What a client of --listen gets: of a pool that is not there, that it is not there. */
static char *look(const void *argument, enum exposition_format format, size_t *length)
{
	const struct request *request = argument;
	struct views views;
	char *text;

	if (!views_find(&views, request->only)) {
		cmd_complain("/proc: %s", strerror(errno));
		return NULL;
	}
	views_measure(&views, BUDGET);
	text = render(request, &views, format, length);
	views_free(&views);
	return text;
}

/* ----------------------------------------------------------------------- file */

static bool write_whole(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			text += written;
			length -= (size_t)written;
		}
	}
	return true;
}

/* Whoever reads it has the old file or the new one, and never a part. */
static bool replace(const char *path, char *beside, const char *text, size_t length)
{
	int fd = mkstemp(beside), error;
	bool is_good;

	if (fd < 0)
		return false;
	is_good =
	    write_whole(fd, text, length) && fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) == 0;
	is_good = close(fd) == 0 && is_good && rename(beside, path) == 0;
	if (is_good)
		return true;
	error = errno;
	unlink(beside);
	errno = error;
	return false;
}

static bool write_file(const char *path, const char *text, size_t length)
{
	char *beside;
	bool is_good;

	if (asprintf(&beside, "%s.XXXXXX", path) < 0) {
		cmd_complain("there is no memory for the name of a file");
		return false;
	}
	is_good = replace(path, beside, text, length);
	if (!is_good)
		cmd_complain("-o %s: %s", path, strerror(errno));
	free(beside);
	return is_good;
}

static bool write_out(const char *text, size_t length)
{
	if (write_whole(STDOUT_FILENO, text, length))
		return true;
	cmd_complain("standard output: %s", strerror(errno));
	return false;
}

/* ----------------------------------------------------------------------- once */

static bool has_any(const struct views *views)
{
	return views->count > 0 || views->unmapped_count > 0 || views->misconfigured_count > 0;
}

/* A host without a pool has a file that says so. A pool that was asked for, and is not there, is an
 * error. */
static int write_once(const struct request *request)
{
	struct views views;
	size_t length = 0;
	bool is_good;
	char *text;

	if (!views_find(&views, request->only)) {
		cmd_complain("/proc: %s", strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	if (request->only != 0 && !has_any(&views)) {
		cmd_complain("there is no pool of %d that may be read", (int)request->only);
		views_free(&views);
		return 1;
	}
	views_measure(&views, BUDGET);
	text = render(request, &views,
	              request->is_openmetrics ? EXPOSITION_OPENMETRICS : EXPOSITION_CLASSIC, &length);
	views_free(&views);
	is_good = text != NULL && (request->file != NULL ? write_file(request->file, text, length)
	                                                 : write_out(text, length));
	free(text);
	return is_good ? 0 : EXIT_OWN_FAILURE;
}

static int serve(const struct request *request)
{
	struct listen_address address;

	if (listen_address_read(&address, request->listen))
		return metrics_listen(&address, request->listen, look, request);
	cmd_complain("--listen %s is refused; accepted: PORT, ADDRESS:PORT or [ADDRESS]:PORT, with "
	             "numbers for both",
	             request->listen);
	return EXIT_OWN_FAILURE;
}

/* -------------------------------------------------------------------- options */

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_sensible(const struct request *request)
{
	if (request->listen != NULL && request->file != NULL)
		cmd_complain("-o and --listen are given both; accepted: one of them");
	else if (request->listen != NULL && request->is_openmetrics)
		cmd_complain(
		    "--listen takes no --openmetrics, because each client says which text it wants");
	else if (request->file != NULL && request->is_openmetrics)
		cmd_complain(
		    "-o takes no --openmetrics, because node_exporter reads the classic text only");
	else if (request->file != NULL && !ends_in(request->file, ".prom"))
		cmd_complain(
		    "-o %s is refused, because node_exporter reads no file whose name does not end "
		    "in .prom",
		    request->file);
	else
		return true;
	return false;
}

static bool refuse_option(int option, char **argv)
{
	if (option == ':')
		cmd_complain("%s wants a value", argv[optind - 1]);
	else
		cmd_complain("%s is no option; accepted: --openmetrics, --per-worker, -o FILE, "
		             "--listen ADDRESS:PORT",
		             argv[optind - 1]);
	return false;
}

static bool read_words(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {{"openmetrics", no_argument, NULL, 'm'},
	                                        {"per-worker", no_argument, NULL, 'w'},
	                                        {"listen", required_argument, NULL, 'l'},
	                                        {NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:", options, NULL)) != -1)
		if (option == 'o')
			request->file = optarg;
		else if (option == 'l')
			request->listen = optarg;
		else if (option == 'm')
			request->is_openmetrics = true;
		else if (option == 'w')
			request->is_per_worker = true;
		else
			return refuse_option(option, argv);
	if (argc - optind > 1) {
		cmd_complain("metrics takes one pid, or none");
		return false;
	}
	return optind == argc || cmd_read_pid(argv[optind], &request->only);
}

int cmd_metrics(int argc, char **argv)
{
	struct request request = {.file = NULL};

	if (!read_words(argc, argv, &request) || !is_sensible(&request))
		return EXIT_OWN_FAILURE;
	return request.listen != NULL ? serve(&request) : write_once(&request);
}
