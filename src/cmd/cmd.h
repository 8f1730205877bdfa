/* cmd.h - what the subcommands of slshim have in common. May not know: what any of them does. */
#ifndef SLSHIM_CMD_H
#define SLSHIM_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As of env(1) and timeout(1): the command itself failed, the program cannot be run, there is none.
 */
enum { EXIT_OWN_FAILURE = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* Writes "slshim: ..." and a newline to standard error, without control characters. */
void cmd_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A word that is to be a pid. Returns false, after a complaint, and sets it to 0, if it is none. */
bool cmd_read_pid(const char *word, pid_t *pid);

/* The subcommands. Each gets its own words, its name first, and returns the exit status. */
int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_measure(int argc, char **argv);
int cmd_advise(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_completion(int argc, char **argv);

/* Returns the name of each subcommand, and what it is given: "[--json] [PID]"; NULL after the last.
 */
const char *cmd_subcommand(size_t index, const char **usage);

#endif
