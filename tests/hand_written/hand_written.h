/* hand_written.h - the parts that a hand-written prefork server is put together from. */
#ifndef HAND_WRITTEN_H
#define HAND_WRITTEN_H

#include <stdbool.h>
#include <sys/types.h>

extern int listener;

/* Each part is looked up by its name; NULL: there is none of that name. */

/* Returns when the listener may have a connection; `blocks`: it leaves the waiting to accept. */
struct wait {
	const char *name;
	void (*wait)(void);
	bool blocks;
};
const struct wait *find_wait(const char *name);

/* How the ODDITY accepts: as most do, if it is about something else. */
struct accept {
	const char *name;
	int (*accept)(void);
};
const struct accept *find_accept(const char *oddity);

/* Serves a connection and closes it. `prepare` runs once, in the master. */
struct service {
	const char *name;
	void (*serve)(int connection);
	void (*prepare)(void);
};
const struct service *find_service(const char *name);

/* A lock that workers hold from before the wait until after the accept. */
struct lock {
	const char *name;
	void (*make)(void);
	void (*take)(void);
	void (*release)(void);
	void (*remove)(void); /* in the master, at its end */
};
const struct lock *find_lock(const char *name);

/* Reads a request and answers it; the connection stays open. */
void answer(int connection);

/* Ends the program where `failed`, saying what did. */
void fail_if(bool failed, const char *what);

#endif
