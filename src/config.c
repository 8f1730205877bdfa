/* config.c - copies, parses and describes the SL_ variables.
 *
 *     values         numbers with units, shares, words
 *     variables      one function for each variable that is not a limit, and the table of them
 *     remarks        what is wrong: refused values, unknown names
 *     copying        config_copy(): the text of the variables, at the start of every program
 *     reading        config_read(): from that text to struct config
 *     questions      config_has_limit() and its like
 *     description    config_describe(): the variables as they were understood
 *
 * A limit is a row of quantity_kinds (quantity.h), any other variable a row of `variables`. */
#include "config.h"

#include <string.h>

#include "os/number.h"

enum { DRAIN_TIMEOUT = 30000 };

static const char sizes[] =
    "0 (off), a number of KB (12000), a whole number with K, M, G or T (50M), "
    "or a share of the memory (1% to 100%)";
static const char counts[] = "0 (off) or a whole number";
static const char spans[] =
    "0 (off), a number of seconds (10), or a whole number with s, m, h or d";
static const char steps[] = "a whole number, at least 1";
static const char times[] =
    "a number of seconds (10), or a whole number with s, m, h or d; from 1s to 365d";
static const char ages[] = "a number of seconds (10), or a whole number with s, m, h or d";
static const char drains[] = "0 (never), a number of seconds (30), or a whole number with s, m, h "
                             "or d; at most 365d";
static const char overdues[] = "stay or leave";
static const char jitters[] = "a share of the limits, 0% to 90%";
static const char pressures[] = "0 (off) or a share of the time, 1% to 100%";
static const char nevers[] = "never";
static const char switches[] = "0 or 1";
#ifdef __linux__
static const char probes[] = "auto, rollup, smaps, statm or rusage";
#else
static const char probes[] = "auto or rusage";
#endif
static const char shares[] = "a number of workers (1 to 1024) or a share of them (1% to 100%)";
static const char names[] = "up to 8 names of programs or scripts, separated by commas "
                            "(httpd,php-fpm*)";
static const char budgets[] = "a share of the time, 1% to 100%";
static const char targets[] = "stderr, syslog, off or an absolute path";
static const char directories[] = "the absolute path of a directory of a tmpfs";
static const char modes[] = "0600, 0640 or 0644";
static const char lengths[] = "at most 1024 bytes";

/* ------------------------------------------------------------------ values */

struct suffix {
	char letter; /* '\0': no suffix */
	uint64_t factor;
};

/* Reads a number and at most one of the suffixes, a list that ends with factor 0. */
static bool read_scaled(const char *text, const struct suffix *suffixes, uint64_t *value)
{
	const char *end = number_read(text, value);

	if (end == NULL)
		return false;
	for (; suffixes->factor > 0; suffixes++)
		if (*end == suffixes->letter && (*end == '\0' || end[1] == '\0'))
			return !__builtin_mul_overflow(*value, suffixes->factor, value);
	return false;
}

static bool read_size(const char *text, uint64_t *bytes)
{
	static const struct suffix suffixes[] = {
	    {'\0', 1ull << 10}, {'K', 1ull << 10},
	    {'k', 1ull << 10},  {'M', 1ull << 20},
	    {'m', 1ull << 20},  {'G', 1ull << 30},
	    {'g', 1ull << 30},  {'T', 1ull << 40},
	    {'t', 1ull << 40},  {0, 0},
	};
	return read_scaled(text, suffixes, bytes);
}

static bool read_count(const char *text, uint64_t *count)
{
	static const struct suffix none[] = {{'\0', 1}, {0, 0}};
	return read_scaled(text, none, count);
}

static bool read_time(const char *text, uint64_t *milliseconds)
{
	static const struct suffix suffixes[] = {
	    {'\0', 1000}, {'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}, {0, 0},
	};
	return read_scaled(text, suffixes, milliseconds);
}

static const struct {
	bool (*read)(const char *text, uint64_t *value);
	const char *accepted;
} units[] = {
    [UNIT_BYTES] = {read_size, sizes},
    [UNIT_COUNT] = {read_count, counts},
    [UNIT_MILLISECONDS] = {read_time, spans},
};

static const struct suffix percent[] = {{'%', 1}, {0, 0}};

static bool read_share(const char *text, unsigned *share)
{
	uint64_t value;
	bool is_read = read_scaled(text, percent, &value) && value > 0 && value <= 100;

	*share = is_read ? (unsigned)value : 0;
	return is_read;
}

static bool read_limit(const char *text, enum quantity quantity, uint64_t *limit, unsigned *share)
{
	enum unit unit = quantity_kinds[quantity].unit;

	*limit = *share = 0;
	if (unit == UNIT_BYTES && read_share(text, share))
		return true;
	return units[unit].read(text, limit);
}

static bool find_limit(const char *variable, enum quantity *quantity)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (strcmp(variable, quantity_kinds[q].variable) == 0) {
			*quantity = (enum quantity)q;
			return true;
		}
	return false;
}

bool config_read_limit(const char *variable, const char *value, enum quantity *quantity,
                       uint64_t *limit, unsigned *share)
{
	return find_limit(variable, quantity) && read_limit(value, *quantity, limit, share);
}

/* Returns the index of `text` in a list of words that ends with NULL, or -1. */
static int find_word(const char *text, const char *const words[])
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	return -1;
}

static bool read_switch(const char *text, bool *value)
{
	static const char *const words[] = {"0", "1", NULL};
	int word = find_word(text, words);

	*value = word == 1;
	return word >= 0;
}

/* --------------------------------------------------------------- variables */

static bool read_step(const char *text, uint64_t *step)
{
	return read_count(text, step) && *step > 0;
}

static bool read_check_every(const char *text, struct config *config)
{
	uint64_t step = 0;
	bool is_read = read_step(text, &step);

	config->check_every = step;
	return is_read;
}

bool config_read_interval(const char *variable, const char *value, uint64_t *check_every)
{
	return strcmp(variable, "SL_CHECK_EVERY") == 0 && read_step(value, check_every);
}

/* By enum probe_choice. Elsewhere than on Linux there are no such files; no value is empty. */
#ifdef __linux__
static const char *const probe_words[] = {"auto", "rollup", "smaps", "statm", "rusage", NULL};
#else
static const char *const probe_words[] = {"auto", "", "", "", "rusage", NULL};
#endif

static bool read_probe(const char *text, struct config *config)
{
	int word = find_word(text, probe_words);

	config->probe = word < 0 ? PROBE_AUTO : (enum probe_choice)word;
	return word >= 0;
}

static bool read_probe_budget(const char *text, struct config *config)
{
	return read_share(text, &config->probe_budget);
}

static bool read_leave(const char *text, struct config *config)
{
	return exit_method_read(text, &config->leave);
}

/* Calls `take` with each of the comma-separated parts; false if it refuses one. */
static bool each_part(const char *text, bool (*take)(const char *part, struct config *config),
                      struct config *config)
{
	char part[128];

	for (;;) {
		size_t length = strcspn(text, ",");

		if (length >= sizeof part)
			return false;
		memcpy(part, text, length);
		part[length] = '\0';
		if (!take(part, config))
			return false;
		if (text[length] == '\0')
			return true;
		text += length + 1;
	}
}

static bool take_program(const char *part, struct config *config)
{
	if (part[0] == '\0' || strpbrk(part, " /=\"") != NULL ||
	    strlen(part) >= sizeof(program_pattern) || config->onlys == CONFIG_PROGRAMS)
		return false;
	strcpy(config->only[config->onlys++], part);
	return true;
}

static bool read_only(const char *text, struct config *config)
{
	return each_part(text, take_program, config);
}

static bool take_address(const char *part, struct config *config)
{
	return config->listens < CONFIG_ADDRESSES &&
	       socket_address_read(part, &config->listen[config->listens++]);
}

static bool read_listen(const char *text, struct config *config)
{
	return each_part(text, take_address, config);
}

static bool read_max_leaving(const char *text, struct config *config)
{
	uint64_t value;

	config->max_leaving_is_percent = read_scaled(text, percent, &value);
	if (!config->max_leaving_is_percent && !read_count(text, &value))
		return false;
	config->max_leaving = value > MAX_LEAVING ? MAX_LEAVING + 1 : (unsigned)value;
	return value > 0 && value <= (config->max_leaving_is_percent ? 100 : MAX_LEAVING);
}

static bool read_replace_timeout(const char *text, struct config *config)
{
	return read_time(text, &config->replace_timeout) && config->replace_timeout > 0 &&
	       config->replace_timeout <= 365ull * 86400000;
}

static bool read_drain_timeout(const char *text, struct config *config)
{
	return read_time(text, &config->drain_timeout) && config->drain_timeout <= 365ull * 86400000;
}

static const char *const overdue_words[] = {"stay", "leave", NULL};

static bool read_overdue(const char *text, struct config *config)
{
	int word = find_word(text, overdue_words);

	config->overdue_leaves = word == 1;
	return word >= 0;
}

static bool read_strikes(const char *text, struct config *config)
{
	return read_step(text, &config->strikes);
}

static bool read_min_age(const char *text, struct config *config)
{
	return read_time(text, &config->min_age);
}

/* Reads "20%" or "20". */
static bool read_percent(const char *text, uint64_t most, unsigned *value)
{
	static const struct suffix suffixes[] = {{'\0', 1}, {'%', 1}, {0, 0}};
	uint64_t number;
	bool is_read = read_scaled(text, suffixes, &number) && number <= most;

	*value = is_read ? (unsigned)number : 0;
	return is_read;
}

static bool read_jitter(const char *text, struct config *config)
{
	return read_percent(text, 90, &config->jitter);
}

static bool read_pressure(const char *text, struct config *config)
{
	return read_percent(text, 100, &config->pressure);
}

static bool read_thp(const char *text, struct config *config)
{
	return config->thp_never = strcmp(text, nevers) == 0;
}

static bool read_ksm(const char *text, struct config *config)
{
	return read_switch(text, &config->ksm);
}

static bool read_trim(const char *text, struct config *config)
{
	return read_switch(text, &config->trim);
}

static bool read_application(const char *text, struct config *config)
{
	return read_switch(text, &config->application);
}

static bool read_dry_run(const char *text, struct config *config)
{
	return read_switch(text, &config->dry_run);
}

static bool read_strict(const char *text, struct config *config)
{
	return read_switch(text, &config->strict);
}

static const char *const target_words[] = {"stderr", "syslog", "", "off", NULL};

static bool read_log(const char *text, struct config *config)
{
	int word = *text == '\0' ? -1 : find_word(text, target_words);

	if (word >= 0) {
		config->log = (enum log_target)word;
		return true;
	}
	if (*text != '/' || strlen(text) >= sizeof config->log_path)
		return false;
	config->log = LOG_FILE;
	strcpy(config->log_path, text);
	return true;
}

static bool read_status(const char *text, struct config *config)
{
	if (*text != '/' || strlen(text) >= sizeof config->status)
		return false;
	strcpy(config->status, text);
	return true;
}

static const char *const mode_words[] = {"0600", "0640", "0644", NULL};
static const unsigned mode_bits[] = {0600, 0640, 0644};

static bool read_status_mode(const char *text, struct config *config)
{
	int word = find_word(text, mode_words);

	config->status_mode = word < 0 ? 0 : mode_bits[word];
	return word >= 0;
}

/* Every variable that is not a limit. */
static const struct variable {
	const char *name;
	bool (*read)(const char *text, struct config *config);
	const char *accepted;
} variables[] = {
    {"SL_CHECK_EVERY", read_check_every, steps},
    {"SL_PROBE", read_probe, probes},
    {"SL_PROBE_BUDGET", read_probe_budget, budgets},
    {"SL_LEAVE", read_leave, exit_method_accepted},
    {"SL_MAX_LEAVING", read_max_leaving, shares},
    {"SL_REPLACE_TIMEOUT", read_replace_timeout, times},
    {"SL_DRAIN_TIMEOUT", read_drain_timeout, drains},
    {"SL_OVERDUE", read_overdue, overdues},
    {"SL_ONLY", read_only, names},
    {"SL_LISTEN", read_listen, socket_address_accepted},
    {"SL_STRIKES", read_strikes, steps},
    {"SL_MIN_AGE", read_min_age, ages},
    {"SL_JITTER", read_jitter, jitters},
    {"SL_PRESSURE", read_pressure, pressures},
    {"SL_THP", read_thp, nevers},
    {"SL_KSM", read_ksm, switches},
    {"SL_TRIM", read_trim, switches},
    {"SL_APPLICATION", read_application, switches},
    {"SL_DRY_RUN", read_dry_run, switches},
    {"SL_LOG", read_log, targets},
    {"SL_STATUS", read_status, directories},
    {"SL_STATUS_MODE", read_status_mode, modes},
    {"SL_STRICT", read_strict, switches},
};
enum { VARIABLES = sizeof variables / sizeof *variables };

const char *config_variable(size_t index)
{
	if (index < QUANTITIES)
		return quantity_kinds[index].variable;
	return index < QUANTITIES + VARIABLES ? variables[index - QUANTITIES].name : NULL;
}

const char *config_accepted(size_t index)
{
	return index < QUANTITIES ? units[quantity_kinds[index].unit].accepted
	                          : variables[index - QUANTITIES].accepted;
}

bool config_is_switch(size_t index)
{
	return config_accepted(index) == switches;
}

/* ----------------------------------------------------------------- remarks */

static void add_remark(struct remarks *remarks, const struct line *line)
{
	unsigned count = remarks->errors + remarks->warnings;

	if (count >= REMARKS_KEPT)
		return;
	memcpy(remarks->text[count], line->text, REMARK_SIZE - 1);
	remarks->text[count][REMARK_SIZE - 1] = '\0';
}

static void refuse(struct remarks *remarks, const char *name, const char *value,
                   const char *accepted)
{
	struct line line;

	line_start(&line);
	line_text(&line, name);
	line_text(&line, "=\"");
	line_foreign(&line, value);
	line_text(&line, "\" is refused and slshim is off; accepted: ");
	line_text(&line, accepted);
	add_remark(remarks, &line);
	remarks->errors++;
}

/* Returns the Levenshtein distance of the first 24 bytes of two names. */
static unsigned distance(const char *one, const char *other)
{
	enum { LONGEST = 24 };
	unsigned row[LONGEST + 1];
	size_t width = strlen(other) < LONGEST ? strlen(other) : LONGEST;

	for (size_t i = 0; i <= width; i++)
		row[i] = (unsigned)i;
	for (size_t y = 0; y < LONGEST && one[y] != '\0'; y++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)y + 1;
		for (size_t x = 0; x < width; x++) {
			unsigned best = diagonal + (one[y] != other[x]);

			diagonal = row[x + 1];
			if (row[x] + 1 < best)
				best = row[x] + 1;
			if (row[x + 1] + 1 < best)
				best = row[x + 1] + 1;
			row[x + 1] = best;
		}
	}
	return row[width];
}

static void warn_of_unknown(struct remarks *remarks, const char *name)
{
	const char *nearest = config_variable(0);
	struct line line;

	for (size_t i = 1; config_variable(i) != NULL; i++)
		if (distance(name, config_variable(i)) < distance(name, nearest))
			nearest = config_variable(i);
	line_start(&line);
	line_foreign(&line, name);
	line_text(&line, " is ignored: slshim has no such variable; the nearest is ");
	line_text(&line, nearest);
	add_remark(remarks, &line);
	remarks->warnings++;
}

/* ----------------------------------------------------------------- copying */

/* Calls nothing of <string.h>, because the loader would have to look it up at the start of every
 * program. */
static bool is_ours(const char *variable)
{
	return variable[0] == 'S' && variable[1] == 'L' && variable[2] == '_';
}

/* Returns the length of the name before the '='; 0 if there is no '=', or if the name is too long
 * to be a misspelt name of ours. */
static size_t name_length(const char *variable)
{
	enum { LONGEST = 63 };
	size_t length = 3;

	while (length <= LONGEST && variable[length] != '=' && variable[length] != '\0')
		length++;
	return length <= LONGEST && variable[length] == '=' ? length : 0;
}

/* Compares two names, both of which begin with SL_. */
static bool has_name(const char *variable, size_t length, const char *name)
{
	size_t i = 3;

	while (i < length && variable[i] == name[i])
		i++;
	return i == length && name[i] == '\0';
}

/* Does the variable have its effect before the program begins, or concern programs that are started
 * as workers? */
static bool cannot_wait(const struct variable *variable)
{
	return variable->read == read_only || variable->read == read_thp || variable->read == read_ksm;
}

/* Notes in `copied` what the name of a variable tells; false if it is unknown. */
static bool is_known(struct config_copy *copied, const char *variable, size_t length)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (has_name(variable, length, quantity_kinds[q].variable)) {
			copied->may_limit = true;
			return true;
		}
	for (int i = 0; i < VARIABLES; i++)
		if (has_name(variable, length, variables[i].name)) {
			copied->may_limit = copied->may_limit || variables[i].read == read_application;
			copied->cannot_wait = copied->cannot_wait || cannot_wait(&variables[i]);
			return true;
		}
	return false;
}

/* The empty asm keeps the compiler from making this a call of memcpy(): see is_ours(). */
static void copy(char *to, const char *from, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		to[i] = from[i];
		__asm__("");
	}
	to[length] = '\0';
}

static void copy_text(struct config_copy *copied, char *room, size_t size, const char *from,
                      size_t length)
{
	if (size - copied->size <= length) {
		copied->is_cut = true;
		return;
	}
	copy(room + copied->size, from, length);
	copied->size += length + 1;
}

/* Returns where the value ends, or one byte after CONFIG_VALUE_MOST, which marks it as too long. */
static size_t value_end(const char *variable, size_t at)
{
	size_t end = at;

	while (end - at <= CONFIG_VALUE_MOST && variable[end] != '\0')
		end++;
	return end;
}

void config_copy(struct config_copy *copied, char *room, size_t size, char *const environment[])
{
	enum { NAMED = 8 };

	copied->text = room;
	copied->size = 0;
	copied->others = copied->named = 0;
	copied->is_cut = copied->may_limit = copied->cannot_wait = false;
	for (; *environment != NULL; environment++) {
		const char *variable = *environment;
		size_t length = is_ours(variable) ? name_length(variable) : 0;

		if (length == 0 || variable[length + 1] == '\0') /* empty: as if it were not set */
			continue;
		if (is_known(copied, variable, length))
			copy_text(copied, room, size, variable, value_end(variable, length + 1));
		else if (copied->others++ < NAMED) {
			copy_text(copied, room, size, variable, length);
			copied->named++;
		}
	}
}

/* ----------------------------------------------------------------- reading */

static void read_variable(struct config *config, struct remarks *remarks, const char *name,
                          const char *value)
{
	enum quantity q;

	if (find_limit(name, &q)) {
		if (!read_limit(value, q, &config->limit[q], &config->percent[q]))
			refuse(remarks, name, value, units[quantity_kinds[q].unit].accepted);
		return;
	}
	for (int i = 0; i < VARIABLES; i++)
		if (strcmp(name, variables[i].name) == 0) {
			if (!variables[i].read(value, config))
				refuse(remarks, name, value, variables[i].accepted);
			return;
		}
}

static void refuse_all(struct remarks *remarks)
{
	struct line line;

	line_start(&line);
	line_text(&line, "the SL_ variables are refused and slshim is off; accepted: at most ");
	line_number(&line, CONFIG_ROOM);
	line_text(&line, " bytes in all");
	add_remark(remarks, &line);
	remarks->errors++;
}

void config_read(struct config *config, struct remarks *remarks, const struct config_copy *copied)
{
	*config = (struct config){
	    .check_every = 1,
	    .probe_budget = 1,
	    .strikes = 1,
	    .max_leaving = 10,
	    .max_leaving_is_percent = true,
	    .drain_timeout = DRAIN_TIMEOUT,
	    .status_mode = 0600,
	};
	remarks->errors = remarks->warnings = 0;
	if (copied->is_cut)
		refuse_all(remarks);
	for (size_t at = 0; at < copied->size; at += strlen(copied->text + at) + 1) {
		const char *variable = copied->text + at, *equals = strchr(variable, '=');
		char name[64];

		if (equals == NULL)
			continue;
		copy(name, variable, (size_t)(equals - variable));
		if (strlen(equals + 1) > CONFIG_VALUE_MOST)
			refuse(remarks, name, equals + 1, lengths);
		else
			read_variable(config, remarks, name, equals + 1);
	}
}

static void count_others(struct remarks *remarks, unsigned count)
{
	struct line line;

	line_start(&line);
	line_number(&line, count);
	line_text(&line, " more SL_ variables that slshim does not have are ignored");
	add_remark(remarks, &line);
	remarks->warnings++;
}

void config_warn_of_unknown(struct remarks *remarks, const struct config_copy *copied)
{
	for (size_t at = 0; at < copied->size; at += strlen(copied->text + at) + 1)
		if (strchr(copied->text + at, '=') == NULL)
			warn_of_unknown(remarks, copied->text + at);
	if (copied->others > copied->named)
		count_others(remarks, copied->others - copied->named);
}

/* --------------------------------------------------------------- questions */

bool config_has_limit(const struct config *config)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (config->limit[q] > 0)
			return true;
	return config_has_share(config);
}

bool config_has_share(const struct config *config)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (config->percent[q] > 0)
			return true;
	return false;
}

uint64_t config_share(unsigned share, uint64_t memory)
{
	return memory / 100 * share;
}

void config_scale(struct config *config, uint64_t memory)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (config->percent[q] > 0)
			config->limit[q] = config_share(config->percent[q], memory);
}

bool config_watches(const struct config *config, const struct socket_address *address)
{
	for (unsigned i = 0; i < config->listens; i++)
		if (socket_address_is(address, &config->listen[i]))
			return true;
	return config->listens == 0;
}

/* ------------------------------------------------------------- description */

static void describe_number(struct line *line, const char *name, uint64_t number, const char *unit)
{
	line_text(line, " ");
	line_text(line, name);
	line_text(line, "=");
	line_number(line, number);
	line_text(line, unit);
}

static void describe_share(struct line *line, unsigned share)
{
	line_text(line, " (");
	line_number(line, share);
	line_text(line, "%)");
}

static void describe_lists(struct line *line, const struct config *config)
{
	for (unsigned i = 0; i < config->onlys; i++) {
		line_text(line, i == 0 ? " SL_ONLY=" : ",");
		line_foreign(line, config->only[i]);
	}
	for (unsigned i = 0; i < config->listens; i++) {
		line_text(line, i == 0 ? " SL_LISTEN=" : ",");
		socket_address_describe(&config->listen[i], line);
	}
}

void config_describe(const struct config *config, struct line *line)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (config->limit[q] > 0) {
			line_text(line, " ");
			line_text(line, quantity_kinds[q].variable);
			line_text(line, "=");
			quantity_write(line, (enum quantity)q, config->limit[q]);
			if (config->percent[q] > 0)
				describe_share(line, config->percent[q]);
		}
	describe_number(line, "SL_CHECK_EVERY", config->check_every, "");
	describe_number(line, "SL_MAX_LEAVING", config->max_leaving,
	                config->max_leaving_is_percent ? "%" : "");
	if (config->replace_timeout > 0)
		describe_number(line, "SL_REPLACE_TIMEOUT", config->replace_timeout / 1000, "s");
	if (config->drain_timeout != DRAIN_TIMEOUT)
		describe_number(line, "SL_DRAIN_TIMEOUT", config->drain_timeout / 1000, "s");
	if (config->overdue_leaves)
		line_text(line, " SL_OVERDUE=leave");
	describe_lists(line, config);
	line_text(line, " SL_PROBE=");
	line_text(line, probe_words[config->probe]);
	describe_number(line, "SL_PROBE_BUDGET", config->probe_budget, "%");
	if (config->strikes > 1)
		describe_number(line, "SL_STRIKES", config->strikes, "");
	if (config->min_age > 0)
		describe_number(line, "SL_MIN_AGE", config->min_age / 1000, "s");
	if (config->jitter > 0)
		describe_number(line, "SL_JITTER", config->jitter, "%");
	if (config->pressure > 0)
		describe_number(line, "SL_PRESSURE", config->pressure, "%");
	if (config->thp_never)
		line_text(line, " SL_THP=never");
	if (config->ksm)
		line_text(line, " SL_KSM=1");
	if (config->trim)
		line_text(line, " SL_TRIM=1");
	if (config->application)
		line_text(line, " SL_APPLICATION=1");
	if (config->dry_run)
		line_text(line, " SL_DRY_RUN=1");
	if (config->status[0] != '\0') {
		line_text(line, " SL_STATUS=");
		line_foreign(line, config->status);
	}
}
