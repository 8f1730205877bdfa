/* confinement.c - holds the settings of a unit against what the library needs: its own file, the
 * file of its log, system calls. The rules are those of systemd.exec(5). */
#include "cmd/confinement.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char blanks[] = " \t";

/* -------------------------------------------------------------------- settings */

/* The value, if the line is "name=value". */
static const char *value_of(const char *line, const char *name)
{
	size_t length = strlen(name);

	return strncmp(line, name, length) == 0 && line[length] == '=' ? line + length + 1 : NULL;
}

/* The last one counts; "" if there is none. */
static const char *last(const struct settings *settings, const char *name)
{
	const char *value, *found = "";

	for (size_t i = 0; i < settings->confinement.count; i++)
		if ((value = value_of(settings->confinement.of[i], name)) != NULL)
			found = value;
	return found;
}

static bool is_yes(const char *value)
{
	static const char *const words[] = {"1", "yes", "y", "true", "t", "on"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return false;
}

/* Adds the words of all lines of this name; an empty one takes back those before it. `marks` may
 * stand before a word. */
static void read_words(const struct settings *settings, const char *name, const char *marks,
                       struct list *words)
{
	for (size_t i = 0; i < settings->confinement.count; i++) {
		const char *at = value_of(settings->confinement.of[i], name);

		if (at == NULL)
			continue;
		if (*at == '\0')
			list_clear(words);
		for (at += strspn(at, blanks); *at != '\0'; at += strspn(at, blanks)) {
			at += strspn(at, marks);
			list_add_formatted(words, "%.*s", (int)strcspn(at, blanks), at);
			at += strcspn(at, blanks);
		}
	}
}

/* ----------------------------------------------------------------------- paths */

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	while (length > 0 && directory[length - 1] == '/')
		length--;
	return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The length of the longest of these directories that the path is below; -1: none. */
static int depth_below(const struct settings *settings, const char *name, const char *path)
{
	struct list directories = {.count = 0};
	int depth = -1;

	read_words(settings, name, "-+", &directories);
	for (size_t i = 0; i < directories.count; i++)
		if (is_below(path, directories.of[i]) && (int)strlen(directories.of[i]) > depth)
			depth = (int)strlen(directories.of[i]);
	list_clear(&directories);
	return depth;
}

static bool is_in_a_home(const char *path)
{
	return is_below(path, "/home") || is_below(path, "/root") || is_below(path, "/run/user");
}

static void look_at_library(const struct settings *settings, const char *library,
                            struct list *wrong)
{
	const char *home = last(settings, "ProtectHome"), *root = last(settings, "RootDirectory");
	char inside[PATH_MAX];

	snprintf(inside, sizeof inside, "%s%s", root, library);
	if (*root != '\0' && access(inside, R_OK) != 0)
		list_add_formatted(wrong,
		                   "with RootDirectory=%s the library would be %s, which there is not",
		                   root, inside);
	if ((is_yes(home) || strcmp(home, "tmpfs") == 0) && is_in_a_home(library))
		list_add_formatted(wrong, "ProtectHome=%s hides %s from the server", home, library);
	if (depth_below(settings, "InaccessiblePaths", library) >= 0)
		list_add_formatted(wrong, "InaccessiblePaths= hides %s from the server", library);
	if (depth_below(settings, "NoExecPaths", library) > depth_below(settings, "ExecPaths", library))
		list_add_formatted(wrong,
		                   "NoExecPaths= forbids that %s is executed; add its directory to "
		                   "ExecPaths=",
		                   library);
}

/* "LogsDirectory=app" is /var/log/app. */
static bool is_in_own_directory(const struct settings *settings, const char *path)
{
	static const struct {
		const char *name, *where;
	} kinds[] = {
	    {"LogsDirectory", "/var/log"},
	    {"StateDirectory", "/var/lib"},
	    {"CacheDirectory", "/var/cache"},
	    {"RuntimeDirectory", "/run"},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t length = strlen(kinds[i].where);

		if (is_below(path, kinds[i].where) && path[length] == '/' &&
		    depth_below(settings, kinds[i].name, path + length + 1) >= 0)
			return true;
	}
	return false;
}

static bool is_in_tmp(const char *path)
{
	return is_below(path, "/tmp") || is_below(path, "/var/tmp");
}

static void look_at_path(const struct settings *settings, const char *variable, const char *path,
                         struct list *wrong, struct list *notes)
{
	bool is_dynamic = is_yes(last(settings, "DynamicUser"));
	bool has_own_tmp = is_dynamic || is_yes(last(settings, "PrivateTmp"));
	bool is_strict = is_dynamic || strcmp(last(settings, "ProtectSystem"), "strict") == 0;

	if (is_in_tmp(path) && has_own_tmp)
		list_add_formatted(notes, "%s=%s is in a directory that nobody else sees, by %s", variable,
		                   path, is_dynamic ? "DynamicUser=" : "PrivateTmp=");
	else if (is_strict && depth_below(settings, "ReadWritePaths", path) < 0 &&
	         !is_in_own_directory(settings, path) && !is_below(path, "/dev"))
		list_add_formatted(wrong,
		                   "%s=%s cannot be written, by %s; LogsDirectory= or ReadWritePaths= "
		                   "names what can be",
		                   variable, path, is_dynamic ? "DynamicUser=" : "ProtectSystem=strict");
}

/* ------------------------------------------------------------------------- log */

static bool allows_unix(const struct settings *settings)
{
	struct list families = {.count = 0};
	bool forbids, is_named = false;

	read_words(settings, "RestrictAddressFamilies", "", &families);
	forbids = families.count > 0 && families.of[0][0] == '~';
	for (size_t i = 0; i < families.count; i++)
		if (strcmp(families.of[i] + (families.of[i][0] == '~'), "AF_UNIX") == 0)
			is_named = true;
	if (families.count == 0)
		forbids = true;
	list_clear(&families);
	return forbids != is_named;
}

/* Standard error is where standard output is, unless it is set. */
static bool has_stderr(const struct settings *settings)
{
	const char *where = last(settings, "StandardError");

	if (*where == '\0' || strcmp(where, "inherit") == 0)
		where = last(settings, "StandardOutput");
	return strcmp(where, "null") != 0;
}

static void look_at_log(const struct settings *settings, const struct config *config,
                        struct list *wrong, struct list *notes)
{
	if (config->log == LOG_FILE)
		look_at_path(settings, "SL_LOG", config->log_path, wrong, notes);
	if (config->log == LOG_SYSLOG && !allows_unix(settings))
		list_add(wrong, "SL_LOG=syslog needs AF_UNIX, which RestrictAddressFamilies= forbids");
	if (config->log == LOG_STDERR && !has_stderr(settings))
		list_add(notes, "nobody sees the log, because standard error is null; set SL_LOG");
}

/* ---------------------------------------------------------------- system calls */

/* What the library calls, by the set of systemd's that has it: all of @system-service. */
static const struct {
	const char *set, *calls;
} needed[] = {
    {"@basic-io", "close dup3 lseek pread64 pwritev2 write writev"},
    {"@file-system", "access fallocate fchmod fcntl fstatfs ftruncate getdents64 linkat newfstatat "
                     "openat readlink unlinkat"},
    {"@io-event", "poll ppoll"},
    {"@ipc", "memfd_create"},
    {"@network-io", "connect getpeername getsockname getsockopt sendmsg socket"},
    {"@process", "getrusage kill pidfd_open prctl waitid"},
    {"@signal", "rt_sigaction rt_sigpending rt_sigprocmask rt_sigtimedwait sigaltstack"},
    {"@timer", "alarm getitimer timer_gettime timerfd_gettime"},
    {"", "ioctl kcmp madvise uname"},
};

/* Does a word of the filter, a call or a set, mean this call? One that is to fail with an error,
 * "kcmp:EPERM", does not, because nobody is killed by it. */
static bool means(const char *word, const char *set, const char *call)
{
	return strcmp(word, call) == 0 || (*set != '\0' && strcmp(word, set) == 0) ||
	       strcmp(word, "@system-service") == 0 || strcmp(word, "@known") == 0;
}

/* The filter is a list of what is allowed if its first line is, or of what is forbidden; what comes
 * later adds to it or takes from it. A "~" before a line holds for each of its words; each word
 * here has it. */
static bool is_allowed(const struct list *filter, const char *set, const char *call)
{
	bool allowed = filter->count == 0 || filter->of[0][0] == '~';

	for (size_t i = 0; i < filter->count; i++) {
		const char *word = filter->of[i];
		bool forbids = word[0] == '~';

		if (means(word + forbids, set, call))
			allowed = !forbids;
	}
	return allowed;
}

static void read_filter(const struct settings *settings, struct list *filter)
{
	for (size_t i = 0; i < settings->confinement.count; i++) {
		const char *line = value_of(settings->confinement.of[i], "SystemCallFilter");
		struct settings one = {.confinement = {.of = settings->confinement.of + i, .count = 1}};
		struct list words = {.count = 0};
		bool forbids = line != NULL && *line == '~';

		if (line != NULL && *line == '\0')
			list_clear(filter);
		read_words(&one, "SystemCallFilter", "~", &words);
		for (size_t j = 0; j < words.count; j++)
			list_add_formatted(filter, "%s%s", forbids ? "~" : "", words.of[j]);
		list_clear(&words);
	}
}

/* The first of these calls, which have blanks between, that is forbidden; false if none is. */
static bool find_forbidden(const struct list *filter, const char *set, const char *calls,
                           char *call, size_t size)
{
	for (const char *at = calls; *at != '\0'; at += strspn(at, blanks)) {
		snprintf(call, size, "%.*s", (int)strcspn(at, blanks), at);
		if (!is_allowed(filter, set, call))
			return true;
		at += strlen(call);
	}
	return false;
}

static void look_at_calls(const struct settings *settings, struct list *wrong)
{
	const char *instead = last(settings, "SystemCallErrorNumber");
	struct list filter = {.count = 0};
	char call[32];

	if (*instead != '\0' && strcmp(instead, "kill") != 0)
		return;
	read_filter(settings, &filter);
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (find_forbidden(&filter, needed[i].set, needed[i].calls, call, sizeof call)) {
			list_add_formatted(wrong,
			                   "SystemCallFilter= kills the server when the library calls %s; "
			                   "allow @system-service",
			                   call);
			break;
		}
	list_clear(&filter);
}

/* ------------------------------------------------------------------------- all */

void confinement_find(const struct settings *settings, const struct config *config,
                      const char *library, struct list *wrong, struct list *notes)
{
	if (*library != '\0')
		look_at_library(settings, library, wrong);
	look_at_log(settings, config, wrong, notes);
	if (config->status[0] != '\0')
		look_at_path(settings, "SL_STATUS", config->status, wrong, notes);
	if (config_has_share(config) && strcmp(last(settings, "ProcSubset"), "pid") == 0 &&
	    *last(settings, "MemoryMax") == '\0')
		list_add(wrong, "with ProcSubset=pid a share of the memory is unknown; set an amount, or "
		                "MemoryMax= of the unit");
	look_at_calls(settings, wrong);
}
