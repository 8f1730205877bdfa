/* hooks_anywhere.c - a forked worker that calls the hooks where nobody expects it: in a signal
 * handler, in a vfork child, in an atexit handler. Prints a line for each that went well.
 *
 * It also closes connections of its own there, which are followed when a limit is set. */
#include "every_hook.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static int listener;
static volatile sig_atomic_t went_well;

static int serve_one(void)
{
	int client = connect_to(listener), connection = accept(listener, NULL, NULL);

	return client >= 0 && connection >= 0 && close(client) == 0 && close(connection) == 0;
}

static void in_handler(int signal)
{
	(void)signal;
	went_well = serve_one() && every_hook_works();
}

static void say(const char *where, int is_well)
{
	printf("%s%s\n", is_well ? "" : "NOT ", where);
	fflush(stdout);
}

static void in_exit(void)
{
	say("in exit", serve_one() && every_hook_works());
}

static int in_vfork_child(void)
{
	int client = connect_to(listener), connection = accept(listener, NULL, NULL), status;
	pid_t child = vfork();

	if (child == 0) /* closes its own copy of the descriptor, in its parent's memory */
		_exit(!(close(connection) == 0 && every_hook_works()));
	return waitpid(child, &status, 0) == child && status == 0 && close(connection) == 0 &&
	       close(client) == 0;
}

static void work(void)
{
	signal(SIGUSR2, in_handler);
	raise(SIGUSR2);
	say("in a signal handler", went_well);
	say("after a vfork", in_vfork_child());
	atexit(in_exit);
	exit(0);
}

int main(void)
{
	int status;

	listener = open_any_listener();
	if (fork() == 0)
		work();
	wait(&status);
	say("and left", status == 0);
	return 0;
}
