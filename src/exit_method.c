/* exit_method.c - reads and writes exit methods. */
#include "exit_method.h"

#include <signal.h>
#include <string.h>

#include "os/number.h"

const char exit_method_accepted[] =
    "none, or exit, _exit, HUP, INT, QUIT, TERM, USR1, USR2, WINCH "
    "or pod, then @close, @accept or @idle; exit:3, an exit with that "
    "status";

static const struct {
	const char *name;
	enum exit_action action;
	int signal;
} actions[] = {
    {"exit", ACTION_EXIT, 0},           {"_exit", ACTION_QUICK_EXIT, 0},
    {"HUP", ACTION_SIGNAL, SIGHUP},     {"INT", ACTION_SIGNAL, SIGINT},
    {"QUIT", ACTION_SIGNAL, SIGQUIT},   {"TERM", ACTION_SIGNAL, SIGTERM},
    {"USR1", ACTION_SIGNAL, SIGUSR1},   {"USR2", ACTION_SIGNAL, SIGUSR2},
    {"WINCH", ACTION_SIGNAL, SIGWINCH}, {"pod", ACTION_PIPE_OF_DEATH, 0},
};
enum { ACTIONS = sizeof actions / sizeof *actions };

static const char *const points[] = {
    [POINT_CLOSE] = "@close", [POINT_ACCEPT] = "@accept", [POINT_IDLE] = "@idle"};
enum { POINTS = sizeof points / sizeof *points };

static bool takes_status(enum exit_action action)
{
	return action == ACTION_EXIT || action == ACTION_QUICK_EXIT;
}

/* Reads ":3", if there is a colon, and returns what follows; NULL if it is not a status. */
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

bool exit_method_read(const char *text, struct exit_method *method)
{
	*method = (struct exit_method){.action = ACTION_NONE};
	if (strcmp(text, "none") == 0)
		return true;
	for (int a = 0; a < ACTIONS; a++) {
		size_t length = strlen(actions[a].name);
		const char *rest = text + length;
		int status = 0;

		if (strncmp(text, actions[a].name, length) != 0)
			continue;
		if (takes_status(actions[a].action))
			rest = read_status(rest, &status);
		for (int p = 0; rest != NULL && p < POINTS; p++)
			if (strcmp(rest, points[p]) == 0) {
				*method = (struct exit_method){actions[a].action, actions[a].signal,
				                               (enum exit_point)p, status};
				return true;
			}
	}
	return false;
}

void exit_method_describe(const struct exit_method *method, struct line *line)
{
	for (int a = 0; a < ACTIONS; a++)
		if (actions[a].action == method->action && actions[a].signal == method->signal) {
			line_text(line, actions[a].name);
			if (method->status != 0) {
				line_text(line, ":");
				line_number(line, (uint64_t)method->status);
			}
			line_text(line, points[method->point]);
			return;
		}
	line_text(line, "none");
}
