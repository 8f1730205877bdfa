/* slshim.h - what an application may ask of the slshim that watches it.
 *
 * The functions are in libslshim.so, which may or may not be preloaded, and are weak here. Without
 * the library they are null pointers, so that nothing need be linked:
 *
 *     if (slshim_check)
 *         slshim_check();
 *
 * In a program that is linked with -no-pie they are always null, because the linker settles that.
 * Such a program, and an interpreter, finds them with dlsym(RTLD_DEFAULT, ...) or with what it has
 * for that; all arguments and results are strings and integers. examples/ has Perl, Python, Ruby
 * and PHP.
 *
 * If a function fails, it returns -1, sets errno, and has changed nothing:
 *
 *     EOPNOTSUPP  slshim does not watch this process: its environment sets neither a limit nor
 *                 SL_APPLICATION=1, or a value there was refused
 *     EINVAL      there is no such limit or quantity, or it does not take this value
 *     ENODATA     the quantity is not known on this system
 *     EBUSY       another thread is measuring this worker: ask again
 *
 * Any thread may call them, but not in a signal handler. No worker leaves within a call: it leaves
 * at a moment that suits its server, when its pool can spare it. */
#ifndef SLSHIM_H
#define SLSHIM_H

#ifdef __cplusplus
extern "C" {
#endif

#define SLSHIM_WEAK __attribute__((weak))

/* Sets a limit, "SL_MAX_UNSHARED" to "200M", as the environment variable of that name would, or
 * clears it with "0", for this process and for those that it forks from now on. Called in the
 * master before it forks, it sets the limit for all workers; called in a worker, for that one
 * alone. "SL_CHECK_EVERY" may be set, too. */
int slshim_limit(const char *variable, const char *value) SLSHIM_WEAK;

/* Sets a limit for the current request only. The worker is measured when the request ends, which is
 * with slshim_request_done(), with the close of its connection, or with the next accept. Then the
 * limit is again what it was, unless the worker is over it and so will leave. */
int slshim_limit_request(const char *variable, const char *value) SLSHIM_WEAK;

/* Has the worker measured when this request ends, even if SL_CHECK_EVERY would leave it out. */
int slshim_check(void) SLSHIM_WEAK;

/* Has the worker leave, as if it were over a limit, when this request has ended. */
int slshim_recycle(void) SLSHIM_WEAK;

/* Reports that a request has ended. If an application calls this at the end of each request, the
 * worker is measured after requests, not only after connections, each of which may carry many; and
 * the requests are counted for SL_MAX_REQUESTS. */
int slshim_request_done(void) SLSHIM_WEAK;

/* Returns what this process has now of a quantity, by its name in the log: "size", "resident",
 * "unshared", "shared", "proportional", "swapped" (bytes), "growth" (bytes beyond the first
 * measurement), "connections", "requests", "descriptors", "age", "cpu" (milliseconds), "pool"
 * (bytes of all workers together, if there is a limit on that). Shared, unshared and proportional
 * memory take a walk over the page tables: 11 ms for a gigabyte. */
long long slshim_measure(const char *quantity) SLSHIM_WEAK;

#ifdef __cplusplus
}
#endif

#endif
