/* exposition.h - the two text formats of Prometheus: how a sample of a metric is written. Pure. May
 * not know: which metrics there are. */
#ifndef SLSHIM_EXPOSITION_H
#define SLSHIM_EXPOSITION_H

#include <stdbool.h>
#include <stdio.h>

/* The classic text is what node_exporter's textfile collector reads, and every Prometheus. It is
 * not OpenMetrics: neither's parser takes the other. */
enum exposition_format { EXPOSITION_CLASSIC, EXPOSITION_OPENMETRICS };

extern const char *const exposition_content_types[2];

enum family_kind { GAUGE, COUNTER, INFO };

struct family {
	const char *name; /* without the suffix of its kind */
	enum family_kind kind;
	const char *unit; /* that its name ends in; NULL: none */
	const char *help;
};

struct label {
	const char *name, *value; /* NULL after the last; the value may be anybody's text */
};

struct exposition {
	FILE *stream;
	enum exposition_format format;
	const struct family *begun;
};

/* Writes a sample, and before the first of its family what that is. All samples of a family have to
 * follow each other. */
void exposition_put(struct exposition *exposition, const struct family *family,
                    const struct label *labels, const char *value);
void exposition_end(const struct exposition *exposition);

/* Are two values of a label the same once they are written? */
bool exposition_is_same(const char *one, const char *other);

#endif
