/* exposition.c - see exposition.h; prometheus.io/docs/instrumenting/exposition_formats has the
 * classic text, openmetrics.io the other. */
#include "cmd/exposition.h"

#include <string.h>

#include "os/line.h"

const char *const exposition_content_types[2] = {
    [EXPOSITION_CLASSIC] = "text/plain; version=0.0.4; charset=utf-8",
    [EXPOSITION_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

static void copy_printable(struct line *line, const char *text)
{
	line_start(line);
	line_text(line, text);
	line_make_printable(line);
}

bool exposition_is_same(const char *one, const char *other)
{
	struct line lines[2];

	copy_printable(&lines[0], one);
	copy_printable(&lines[1], other);
	return strcmp(lines[0].text, lines[1].text) == 0;
}

/* A newline would have to be escaped, too; it is not printable. */
static void put_label(FILE *stream, const struct label *label)
{
	struct line line;

	copy_printable(&line, label->value);
	fprintf(stream, "%s=\"", label->name);
	for (const char *at = line.text; *at != '\0'; at++) {
		if (*at == '\\' || *at == '"')
			fputc('\\', stream);
		fputc(*at, stream);
	}
	fputc('"', stream);
}

static const char *suffix_of(const struct family *family)
{
	return family->kind == COUNTER ? "_total" : family->kind == INFO ? "_info" : "";
}

/* OpenMetrics names the family without the suffix. The classic text has it with the suffix, and has
 * no kind for info. */
static void begin(const struct exposition *exposition, const struct family *family)
{
	static const char *const kinds[] = {[GAUGE] = "gauge", [COUNTER] = "counter", [INFO] = "info"};
	bool is_open = exposition->format == EXPOSITION_OPENMETRICS;
	const char *suffix = is_open ? "" : suffix_of(family);
	const char *kind = kinds[family->kind == INFO && !is_open ? GAUGE : family->kind];

	fprintf(exposition->stream, "# HELP %s%s %s\n", family->name, suffix, family->help);
	fprintf(exposition->stream, "# TYPE %s%s %s\n", family->name, suffix, kind);
	if (is_open && family->unit != NULL)
		fprintf(exposition->stream, "# UNIT %s %s\n", family->name, family->unit);
}

void exposition_put(struct exposition *exposition, const struct family *family,
                    const struct label *labels, const char *value)
{
	if (exposition->begun != family)
		begin(exposition, family);
	exposition->begun = family;
	fprintf(exposition->stream, "%s%s", family->name, suffix_of(family));
	for (const struct label *label = labels; label->name != NULL; label++) {
		fputc(label == labels ? '{' : ',', exposition->stream);
		put_label(exposition->stream, label);
	}
	fprintf(exposition->stream, "%s %s\n", labels->name != NULL ? "}" : "", value);
}

void exposition_end(const struct exposition *exposition)
{
	if (exposition->format == EXPOSITION_OPENMETRICS)
		fputs("# EOF\n", exposition->stream);
}
