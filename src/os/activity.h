/* activity.h - what is under way in this process: in its other threads, on its timers and on its
 * connections. May not know: which of it matters, or why it is asked.
 *
 * The functions are async-signal-safe; they may change errno. What a system does not tell counts as
 * under way. */
#ifndef SLSHIM_ACTIVITY_H
#define SLSHIM_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

/* Was each other thread asleep when it was looked at, in a wait without a timeout? `history`
 * becomes a hash of which threads there were and how often each had run. */
bool activity_others_sleep(uint64_t *history);

/* Is a timer of setitimer() or timer_create() armed? */
bool activity_is_timer_armed(void);

/* Is this descriptor a timer that is armed? One that has expired counts until it is read. */
bool activity_is_armed(int fd);

/* Is this a TCP connection with something unread, or on which the last data was sent, and the
 * answer has not come? */
bool activity_is_under_way(int fd);

#endif
