/* exit_method.c - reads and writes ways. */
#include "exit_method.h"

#include <signal.h>
#include <string.h>

#include "os/number.h"

const char way_accepted[] = "none, or exit, _exit, HUP, INT, QUIT, TERM, USR1, USR2, WINCH "
                            "or pod, then @close, @accept or @idle; exit:3, an exit with that "
                            "status";

static const struct {
	const char *name;
	enum deed deed;
	int signal;
} deeds[] = {
    {"exit", DEED_EXIT, 0},           {"_exit", DEED_QUICKEXIT, 0},
    {"HUP", DEED_SIGNAL, SIGHUP},     {"INT", DEED_SIGNAL, SIGINT},
    {"QUIT", DEED_SIGNAL, SIGQUIT},   {"TERM", DEED_SIGNAL, SIGTERM},
    {"USR1", DEED_SIGNAL, SIGUSR1},   {"USR2", DEED_SIGNAL, SIGUSR2},
    {"WINCH", DEED_SIGNAL, SIGWINCH}, {"pod", DEED_PIPE_OF_DEATH, 0},
};
enum { DEEDS = sizeof deeds / sizeof *deeds };

static const char *const moments[] = {
    [MOMENT_CLOSE] = "@close", [MOMENT_ACCEPT] = "@accept", [MOMENT_IDLE] = "@idle"};
enum { MOMENTS = sizeof moments / sizeof *moments };

static bool takes_status(enum deed deed)
{
	return deed == DEED_EXIT || deed == DEED_QUICKEXIT;
}

/* ":3" and returns what follows; NULL if it is no status. */
static const char *read_status(const char *text, int *status)
{
	enum { HIGHEST = 255 };
	const char *end;
	uint64_t number;

	if (*text != ':')
		return text;
	end = number_read(text + 1, &number);
	if (end == NULL || number > HIGHEST)
		return NULL;
	*status = (int)number;
	return end;
}

bool way_read(const char *text, struct way *way)
{
	*way = (struct way){.deed = DEED_NONE};
	if (strcmp(text, "none") == 0)
		return true;
	for (int d = 0; d < DEEDS; d++) {
		size_t length = strlen(deeds[d].name);
		const char *rest = text + length;
		int status = 0;

		if (strncmp(text, deeds[d].name, length) != 0)
			continue;
		if (takes_status(deeds[d].deed))
			rest = read_status(rest, &status);
		for (int m = 0; rest != NULL && m < MOMENTS; m++)
			if (strcmp(rest, moments[m]) == 0) {
				*way = (struct way){deeds[d].deed, deeds[d].signal, (enum moment)m, status};
				return true;
			}
	}
	return false;
}

void way_describe(const struct way *way, struct line *line)
{
	for (int d = 0; d < DEEDS; d++)
		if (deeds[d].deed == way->deed && deeds[d].signal == way->signal) {
			line_text(line, deeds[d].name);
			if (way->status != 0) {
				line_text(line, ":");
				line_number(line, (uint64_t)way->status);
			}
			line_text(line, moments[way->moment]);
			return;
		}
	line_text(line, "none");
}
