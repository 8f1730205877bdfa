/* slshim.h - what an application may ask of the slshim that watches it.
 *
 * The functions are in libslshim.so, which is preloaded or is not, and are weak here. Without it
 * they are null pointers, so that nothing need be linked:
 *
 *     if (slshim_check)
 *         slshim_check();
 *
 * In a program that is linked with -no-pie they are always null: the linker settles that. Such a
 * program, and an interpreter, finds them with dlsym(RTLD_DEFAULT, ...) or what it has for that;
 * all arguments and results are strings and integers. examples/ has Perl, Python, Ruby and PHP.
 *
 * Each returns -1 and sets errno where it fails, and then has changed nothing:
 *
 *     EOPNOTSUPP  slshim does not watch this process: no limit is set in its environment, nor
 *                 SL_APPLICATION=1, or a value there was refused
 *     EINVAL      there is no such limit or quantity, or it does not take this value
 *     ENODATA     that is not known here
 *     EBUSY       another thread is measuring this worker: ask again
 *
 * They may be called by any thread, but not in a signal handler. No worker leaves within a call; it
 * does so at the moment that suits its server, and when its pool can spare it. */
#ifndef SLSHIM_H
#define SLSHIM_H

#ifdef __cplusplus
extern "C" {
#endif

#define SLSHIM_WEAK __attribute__((weak))

/* Sets a limit, "SL_MAX_UNSHARED" to "200M", as the environment variable of that name would, or
 * clears it with "0": for this process, and those that it forks from now on. In the master before
 * it forks, for all workers; in a worker, for this one alone. "SL_CHECK_EVERY" may be set, too. */
int slshim_limit(const char *variable, const char *value) SLSHIM_WEAK;

/* The same for the request at hand alone: the worker is measured when that ends, which is with
 * slshim_request_done(), with the close of its connection, or with the next accept. Then the limit
 * is again what it was, unless the worker is over it and so will leave. */
int slshim_limit_request(const char *variable, const char *value) SLSHIM_WEAK;

/* Has the worker measured when this request ends, however many SL_CHECK_EVERY leaves out. */
int slshim_check(void) SLSHIM_WEAK;

/* Has the worker leave, as if it were over a limit, when this request has ended. */
int slshim_recycle(void) SLSHIM_WEAK;

/* A request has ended. Who says so at the end of each is measured after requests, not only after
 * connections, of which each may carry many, and has them counted for SL_MAX_REQUESTS. */
int slshim_request_done(void) SLSHIM_WEAK;

/* What this process has now of a quantity, as the log names it: "size", "resident", "unshared",
 * "shared", "proportional", "swapped" (bytes), "growth" (bytes beyond the first measurement),
 * "connections", "requests", "descriptors", "age", "cpu" (milliseconds). What is shared, unshared
 * or proportional takes a walk over the page tables: 11 ms for a gigabyte. */
long long slshim_measure(const char *quantity) SLSHIM_WEAK;

#ifdef __cplusplus
}
#endif

#endif
