/* log_lines.c - takes the library's lines apart. */
#define _GNU_SOURCE /* timegm, strchrnul */
#include "cmd/log_lines.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "os/line.h"
#include "os/number.h"

/* ----------------------------------------------------------------------- times */

/* Reads exactly `digits` digits, and the sign behind them. */
static const char *read_part(const char *text, int digits, char sign, int *part)
{
	*part = 0;
	for (int i = 0; i < digits; i++, text++) {
		if (!isdigit((unsigned char)*text))
			return NULL;
		*part = *part * 10 + (*text - '0');
	}
	return sign == '\0' ? text : *text == sign ? text + 1 : NULL;
}

/* ".250" and any further digits: milliseconds. */
static const char *read_fraction(const char *text, uint64_t *milliseconds)
{
	uint64_t scale = 100;

	*milliseconds = 0;
	if (*text != '.' && *text != ',')
		return text;
	for (text++; isdigit((unsigned char)*text); text++, scale /= 10)
		*milliseconds += scale * (uint64_t)(*text - '0');
	return text;
}

/* "Z", "+01:00" or "+0100": seconds. */
static const char *read_zone(const char *text, int *offset)
{
	int hours, minutes, sign = *text == '-' ? -1 : 1;

	*offset = 0;
	if (*text == 'Z')
		return text + 1;
	if (*text != '+' && *text != '-')
		return NULL;
	text = read_part(text + 1, 2, '\0', &hours);
	text = text != NULL ? read_part(text + (*text == ':'), 2, '\0', &minutes) : NULL;
	if (text != NULL)
		*offset = sign * (hours * 3600 + minutes * 60);
	return text;
}

const char *log_read_time(const char *text, uint64_t *time)
{
	static const struct {
		int digits;
		char sign;
	} parts[] = {{4, '-'}, {2, '-'}, {2, 'T'}, {2, ':'}, {2, ':'}, {2, '\0'}};
	int value[6] = {0}, offset;
	uint64_t milliseconds;
	struct tm tm;
	time_t seconds;

	for (int i = 0; i < 6 && text != NULL; i++)
		text = read_part(text, parts[i].digits, parts[i].sign, &value[i]);
	text = text != NULL ? read_fraction(text, &milliseconds) : NULL;
	text = text != NULL ? read_zone(text, &offset) : NULL;
	if (text == NULL || value[1] < 1 || value[1] > 12 || value[2] < 1 || value[2] > 31 ||
	    value[3] > 23 || value[4] > 59 || value[5] > 60)
		return NULL;
	tm = (struct tm){.tm_year = value[0] - 1900,
	                 .tm_mon = value[1] - 1,
	                 .tm_mday = value[2],
	                 .tm_hour = value[3],
	                 .tm_min = value[4],
	                 .tm_sec = value[5]};
	seconds = timegm(&tm) - offset;
	if (seconds < 0)
		return NULL;
	*time = (uint64_t)seconds * 1000 + milliseconds;
	return text;
}

/* --------------------------------------------------------------------- figures */

/* "51236 KB", "96.21 s" or "1840"; "unknown" is left unknown. Returns what follows, or NULL. */
static const char *read_figure(const char *text, enum unit unit, uint64_t *value)
{
	uint64_t fraction;
	const char *end = number_read(text, value);

	if (end == NULL)
		return NULL;
	switch (unit) {
	case UNIT_BYTES:
		if (strncmp(end, " KB", 3) != 0 || __builtin_mul_overflow(*value, 1024, value))
			return NULL;
		return end + 3;
	case UNIT_MILLISECONDS:
		end = read_fraction(end, &fraction);
		if (strncmp(end, " s", 2) != 0 || __builtin_mul_overflow(*value, 1000, value))
			return NULL;
		*value = number_add(*value, fraction);
		return end + 2;
	default:
		return end;
	}
}

/* Returns what stands behind `word`, or NULL. */
static const char *behind(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at != NULL ? at + strlen(word) : NULL;
}

static const char *after(const char *text, const char *word)
{
	size_t length = strlen(word);

	return strncmp(text, word, length) == 0 ? text + length : NULL;
}

static uint64_t figure_behind(const char *text, const char *word, enum unit unit)
{
	const char *at = behind(text, word);
	uint64_t value;

	return at != NULL && read_figure(at, unit, &value) != NULL ? value : VIEW_UNKNOWN;
}

static void copy(char *to, size_t size, const char *from, const char *end)
{
	snprintf(to, size, "%.*s", (int)(end - from), from);
}

/* -------------------------------------------------------------------- leavings */

/* "SL_MAX_UNSHARED: 51236 KB > 51200 KB": which is crossed, and its limit. */
static void read_crossed(const char *text, struct leaving *leaving)
{
	for (int q = 0; q < QUANTITIES; q++) {
		const struct quantity_kind *kind = &quantity_kinds[q];
		uint64_t value, limit;
		const char *at = after(text, kind->variable);

		at = at != NULL ? after(at, ": ") : NULL;
		at = at != NULL ? read_figure(at, kind->unit, &value) : NULL;
		at = at != NULL ? after(at, kind->is_floor ? " < " : " > ") : NULL;
		if (at == NULL || read_figure(at, kind->unit, &limit) == NULL)
			continue;
		leaving->reasons |= 1u << q;
		leaving->limit[q] = limit;
		sample_set(&leaving->sample, (enum quantity)q, value);
	}
}

/* ", because the application asked it to, over SL_MAX_RSS: ... and SL_MAX_AGE: ...; " */
static void read_reasons(const char *text, struct leaving *leaving)
{
	const char *end = strchrnul(text, ';');
	const char *at = strstr(text, ", because the application asked it to");

	if (at != NULL && at < end)
		leaving->reasons |= 1u << REASON_ASKED;
	at = behind(text, ", over ");
	while (at != NULL && at < end) {
		read_crossed(at, leaving);
		at = behind(at, " and ");
	}
}

/* "; size 312408 KB, resident 264140 KB, ..." */
static void read_sample(const char *text, struct sample *sample)
{
	for (int q = 0; q < QUANTITIES; q++) {
		const struct quantity_kind *kind = &quantity_kinds[q];
		char name[32];
		uint64_t value;

		for (int i = 0; i < 2; i++) {
			snprintf(name, sizeof name, "%s %s ", i == 0 ? ";" : ",", kind->name);
			value = figure_behind(text, name, kind->unit);
			if (value != VIEW_UNKNOWN)
				sample_set(sample, (enum quantity)q, value);
		}
	}
}

static bool read_leaving(const char *text, struct leaving *leaving)
{
	static const char *const verbs[] = {" leaves by ", " would leave (SL_DRY_RUN) by "};
	const char *at = after(text, verbs[0]), *end;

	if (at == NULL)
		at = after(text, verbs[1]);
	if (at == NULL)
		return false;
	leaving->would_leave = after(text, verbs[1]) != NULL;
	end = at + strcspn(at, ",;");
	copy(leaving->method, sizeof leaving->method, at, end);
	read_reasons(end, leaving);
	read_sample(end, &leaving->sample);
	leaving->drained = figure_behind(end, "; drained for ", UNIT_MILLISECONDS);
	leaving->waited = figure_behind(end, "; waited ", UNIT_MILLISECONDS);
	return true;
}

/* ----------------------------------------------------------------------- start */

/* " SL_MAX_UNSHARED=51200 KB (5%) SL_CHECK_EVERY=1 ..." */
static void read_limits(const char *settings, uint64_t limits[QUANTITIES])
{
	for (int q = 0; q < QUANTITIES; q++) {
		char name[64];
		uint64_t value;

		snprintf(name, sizeof name, " %s=", quantity_kinds[q].variable);
		value = figure_behind(settings, name, quantity_kinds[q].unit);
		limits[q] = value != VIEW_UNKNOWN ? value : 0;
	}
}

/* "...; their exit method is USR1@close (the profile of this server) and a replacement ..." */
static void read_method(const char *text, struct pool_history *pool)
{
	const char *at = behind(text, "; their exit method is "), *end;

	end = at != NULL ? strstr(at, " (") : NULL;
	if (end == NULL)
		return;
	copy(pool->method, sizeof pool->method, at, end);
	at = end + 2;
	end = strstr(at, ") and a replacement");
	if (end != NULL)
		copy(pool->whose, sizeof pool->whose, at, end);
}

static bool read_start(const char *text, pid_t pid, uint64_t time, struct pool_history *pool)
{
	const char *at = after(text, ": slshim "), *end;
	uint64_t limits[QUANTITIES];

	at = at != NULL ? behind(at, " watches its workers:") : NULL;
	if (at == NULL)
		return false;
	end = strchrnul(at, ';');
	copy(pool->settings, sizeof pool->settings, at, end);
	read_limits(pool->settings, limits);
	history_set_limits(pool, time, limits);
	pool->memory_there = figure_behind(end, "; the server may use ", UNIT_BYTES);
	read_method(end, pool);
	pool->master = pid;
	pool->is_dry_run = strstr(pool->settings, " SL_DRY_RUN=1") != NULL;
	return true;
}

/* A log that was rotated lacks the start: then the limits are those that were crossed. SL_JITTER
 * makes them stricter, so the least strict is the nearest to what was set. */
static void learn_limits(struct pool_history *pool, const struct leaving *leaving)
{
	static const uint64_t none[QUANTITIES];

	if (pool->settings[0] != '\0')
		return;
	if (pool->limit_count == 0)
		history_set_limits(pool, leaving->time, none);
	for (int q = 0; q < QUANTITIES; q++) {
		uint64_t *limit = &pool->limits[0].of[q];
		bool is_milder =
		    quantity_kinds[q].is_floor ? leaving->limit[q] < *limit : leaving->limit[q] > *limit;

		if (leaving->limit[q] > 0 && (*limit == 0 || is_milder))
			*limit = leaving->limit[q];
	}
}

/* ----------------------------------------------------------------------- lines */

/* "apache2[4711]": returns what follows. */
static const char *read_who(const char *message, char program[64], pid_t *pid)
{
	for (const char *at = strchr(message, '['); at != NULL; at = strchr(at + 1, '[')) {
		uint64_t number;
		const char *end = number_read(at + 1, &number);

		if (end == NULL || *end != ']' || (end[1] != ' ' && end[1] != ':') || at == message ||
		    number > INT32_MAX)
			continue;
		copy(program, 64, message, at);
		*pid = (pid_t)number;
		return end + 1;
	}
	return NULL;
}

/* " (3 lines before this one were lost)", which ends a line, is cut off and counted. */
static uint64_t take_lost(char *text)
{
	char *at = strstr(text, " before this one w");
	uint64_t lost;

	while (at != NULL && at > text && *at != '(')
		at--;
	if (at == NULL || at == text || number_read(at + 1, &lost) == NULL)
		return 0;
	at[-1] = '\0';
	return lost;
}

/* What is known of a worker that gave memory back is not shown. */
static void add_remark(struct pool_history *pool, uint64_t time, char *text)
{
	char *sample = strstr(text, "; size ");

	if (sample != NULL)
		*sample = '\0';
	history_add_remark(pool, time, text + strspn(text, ": "));
}

enum log_answer log_read_message(struct history *history, uint64_t time, const char *message)
{
	struct leaving leaving = {.time = time};
	struct pool_history *pool;
	struct line line;
	char program[64];
	const char *rest;
	uint64_t lost;

	line_start(&line);
	line_text(&line, message);
	line_make_printable(&line);
	lost = take_lost(line.text);
	rest = read_who(line.text, program, &leaving.pid);
	if (rest == NULL)
		return LOG_FOREIGN;
	if (time == VIEW_UNKNOWN)
		return LOG_TIMELESS;
	pool = history_of_program(history, program);
	if (pool == NULL)
		return LOG_READ;
	pool->lost_lines = number_add(pool->lost_lines, lost);
	if (read_start(rest, leaving.pid, time, pool))
		return LOG_READ;
	if (read_leaving(rest, &leaving)) {
		learn_limits(pool, &leaving);
		history_add_leaving(pool, &leaving);
	} else
		add_remark(pool, time, line.text + (rest - line.text));
	return LOG_READ;
}

/* "slshim: ", or "slshim[4711]: " where the journal writes it; at the begin of a word. Returns what
 * follows. */
static const char *find_mark(const char *line, const char **mark)
{
	static const char name[] = "slshim";

	for (*mark = strstr(line, name); *mark != NULL; *mark = strstr(*mark + 1, name)) {
		const char *at = *mark + sizeof name - 1;

		if (*mark > line && strchr(" >\t", (*mark)[-1]) == NULL)
			continue;
		if (*at == '[') {
			at += 1 + strspn(at + 1, "0123456789");
			at += *at == ']';
		}
		if (at[0] == ':' && at[1] == ' ')
			return at + 2;
	}
	return NULL;
}

/* The library's own time stands right before the mark; that of syslog begins the line. */
static uint64_t time_of(const char *line, const char *mark)
{
	enum { OWN = sizeof "2026-11-22T22:50:01.250Z" };
	uint64_t time;
	const char *end;

	if (mark - line >= OWN) {
		end = log_read_time(mark - OWN, &time);
		if (end != NULL && end == mark - 1)
			return time;
	}
	end = log_read_time(line, &time);
	return end != NULL && *end == ' ' ? time : VIEW_UNKNOWN;
}

enum log_answer log_read_line(struct history *history, const char *line)
{
	const char *mark, *message = find_mark(line, &mark);

	return message != NULL ? log_read_message(history, time_of(line, mark), message) : LOG_FOREIGN;
}
