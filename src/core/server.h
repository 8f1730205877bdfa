/* server.h - what the constructor and the first fork after listen() settle for all workers.
 *
 * Written in the constructor or in server_wake(), `page` in the master's first fork; read-only
 * after that, so no lock. Only the application changes limits later, for the workers that it forks
 * then. May not know: what a worker does with it. */
#ifndef SLSHIM_SERVER_H
#define SLSHIM_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "os/machine.h"
#include "pool/pool.h"

struct server {
	bool is_on;       /* a limit is set and nothing was refused */
	bool is_left_out; /* a limit is set, and SL_ONLY does not name this program */
	struct config config;
	struct machine_memory memory; /* limits in percent are shares of it; 0 bytes: unknown, or there
	                                 are none */
	char pressure_path[MACHINE_PATH_SIZE]; /* "": unknown, or not asked for */
	struct pool_page *page;     /* shared with the workers; NULL: forked before there was one */
	bool parent_lacks_listener; /* named to be started as a worker, by a parent that is not seen to
	                   hold the listener */
};

extern struct server server;

/* Variables are set but not read yet, because most programs are not servers. */
extern _Atomic bool server_is_asleep;

/* In the constructor: keeps what was set, because servers overwrite it later, and reads no more of
 * it than every program that merely inherits it can be made to pay for; then it is asleep. False if
 * there is nothing to do or to say, ever. `words`: the command line, or NULL. */
bool server_start(char *const environment[], char *const words[]);

/* Something of it concerns the start of the program, or this may be a worker that was started by
 * execve, and may not be able later what it can now. */
bool server_cannot_wait(void);

/* Does this process hold a listener? Looks for inherited ones once. */
bool server_has_listener(void);

/* Reads what was kept; false if there is nothing to do or to say. `at_start`: in the constructor.
 */
bool server_wake(bool at_start);

/* Makes the page if listen() did not; until a worker writes to it, it takes address space only. */
void server_before_fork(void);

/* Says what was read, once in a server's life: at its first fork after listen(), where shells,
 * helpers and CGI programs that inherit the environment do not get, or at the first accept of a
 * worker that made its own listener. Each worker that a master starts by execve says in its
 * constructor what is wrong, and no more. */
void server_announce(void);

/* Are limits about the connections of this listener (SL_LISTEN)? */
bool server_watches_listener(int listener);

/* At the first accept of a process that is no worker: why it is none, if it was meant to be. */
void server_report_lacking_parent(void);

/* It serves, and has neither a master nor workers. */
void server_report_no_master(void);

/* Of a program that SL_ONLY leaves out: may this child be one of the workers that its user misses?
 * At its first accept it is known, and said once by all of them. */
bool server_may_be_missed(void);
void server_report_left_out(int listener);

/* One limit, as the application says it. */
enum limit_answer { LIMIT_IS_READ, LIMIT_IS_REFUSED, LIMIT_IS_UNSCALED };
enum limit_answer server_read_limit(const char *variable, const char *value,
                                    enum quantity *quantity, uint64_t *limit);

/* For workers that are forked from now on; the interval for this process, too. */
void server_limit(enum quantity quantity, uint64_t limit);
void server_check_every(uint64_t connections);

/* Ends the program with status 78 where SL_STRICT asks for it. */
void server_before_listen(void);
void server_listens(int fd);

#endif
