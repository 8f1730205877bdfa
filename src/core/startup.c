/* startup.c - see startup.h. */
#include "core/startup.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "core/recycle.h"
#include "core/server.h"
#include "core/unseen.h"
#include "core/worker.h"
#include "leave/accept_lock.h"
#include "os/hot.h"
#include "os/next.h"
#include "os/process.h"
#include "os/self.h"

/* `serves`: it was forked, and may be a worker. */
static void begin_watch(bool serves)
{
	limit_state_begin(&worker.limits, &server.config, &worker.life, server.pressure_path, serves);
	recycle_begin();
}

/* A thread of this process reads the variables. */
static _Atomic bool is_waking;

/* Beside server_is_asleep, because the constructor writes both. */
EARLY _Atomic bool startup_minds_accepts;

/* A child of a process that accepts is a helper, not a worker. */
static void begin_life(void)
{
	bool may_serve = worker.listener_end > 0 && worker.listener < 0;

	worker_born(server.is_on || server_is_asleep ? process_clock() : 0);
	lock_born();
	if (server_is_asleep)
		is_waking = false; /* the thread that was about to read is the parent's */
	startup_minds_accepts = server_is_asleep || server_may_be_missed();
	if (!server.is_on)
		return;
	self_forget();
	begin_watch(may_serve);
	unseen_begin(may_serve);
}

static bool wake(bool at_start)
{
	bool has_business = server_wake(at_start);

	if (has_business) {
		next_resolve();
		begin_watch(false);
	}
	server_is_asleep = startup_minds_accepts = false;
	return has_business;
}

/* Gives up after a while, because the caller may be a handler that has interrupted the thread which
 * reads. */
static void wait_until_awake(void)
{
	enum { TRIES = 1000 };

	for (int i = 0; i < TRIES && server_is_asleep; i++)
		sched_yield();
}

__attribute__((cold, noinline)) bool startup_wake(void)
{
	int saved = errno;

	if (worker_is_current() && server_is_asleep) {
		if (!atomic_exchange(&is_waking, true))
			wake(false);
		else
			wait_until_awake();
	}
	errno = saved;
	return server.is_on;
}

__attribute__((cold, noinline)) bool startup_before_accept(int listener)
{
	int saved = errno;

	if (server_is_asleep)
		return startup_wake();
	if (worker_is_current() && atomic_exchange(&startup_minds_accepts, false))
		server_report_left_out(listener);
	errno = saved;
	return false;
}

/* A program that has inherited a listener may fork workers. */
static void before_fork(void)
{
	if (server_is_asleep && server_has_listener())
		startup_wake();
	server_before_fork();
}

void startup_begin(char *const environment[], char *const words[])
{
	if (!server_start(environment, words))
		return;
	startup_minds_accepts = true;
	if (server_cannot_wait() && !wake(true) && !server.is_left_out)
		return;
	if (pthread_atfork(before_fork, NULL, begin_life) != 0) {
		server_is_asleep = startup_minds_accepts = false;
		server.is_on = false;
	}
}
