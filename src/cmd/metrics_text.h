/* metrics_text.h - views as metrics of Prometheus. Pure. May not know: where views come from, or
 * where the text goes. */
#ifndef SLSHIM_METRICS_TEXT_H
#define SLSHIM_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/exposition.h"
#include "cmd/view.h"

struct metrics_wish {
	enum exposition_format format;
	bool per_worker;
	uint64_t now; /* milliseconds since 1970 */
};

/* Returns text that the caller frees, and its length; NULL if there is no memory. No series is in
 * it twice, and none has a value that is not known. */
char *metrics_text(const struct views *views, const struct metrics_wish *wish, size_t *length);

#endif
