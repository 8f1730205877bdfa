/* draining.h - a worker drains: it stops accepting, serves what is open, and leaves when nothing
 * is.
 *
 * Its waits leave its listeners out, and its accepts are refused from the first such wait on, so
 * that its siblings get all that comes. If the drain ends otherwise all is as it was before. Under
 * the guard, where nothing else is said. May not know: when a worker may leave. */
#ifndef SLSHIM_DRAINING_H
#define SLSHIM_DRAINING_H

#include <stdbool.h>
#include <stdint.h>

#include "os/wait_set.h"

struct epoll_event;

/* Could it begin to drain at `now`, boot clock, milliseconds? Not without a clock. */
bool draining_is_possible(uint64_t now);

/* It has its place among those that drain. */
void draining_begin(uint64_t now);

void draining_go_on(uint64_t now);

/* It accepts again, and does not begin to drain before that time. */
void draining_end(uint64_t not_before);

/* It accepts again, though it was told to leave. */
void draining_give_up(void);

/* Does the wait include a listener, or would it if that were not left out? */
bool draining_concerns(const struct wait_set *set);

/* Leaves them out. False where the wait has to be made as it is: the next one may be better, or the
 * drain is over, because none would. */
bool draining_mutes(const struct wait_set *set, uint64_t now);

/* Without the guard, by any thread: the errno to refuse an accept with; 0: it goes ahead. */
int draining_refuses(int listener);

/* Without the guard, by any thread, while worker.minds_waits: a wait begins. */
void draining_notes_wait(void);

/* Without the guard, by any thread, before epoll_ctl() for a known listener: true with the `error`
 * to return, 0 for success; false where it goes ahead. */
bool draining_controls(int set, int change, int fd, const struct epoll_event *event, int *error);

#endif
