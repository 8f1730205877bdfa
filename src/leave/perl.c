/* perl.c - calls the functions that the interpreter exports to its extensions.
 *
 * Perl runs a handler in %SIG between two operations; the handler may be an extension's function,
 * and may exit. Nothing here uses perl's argument stack, because the current operation has a
 * pointer into it. */
#include "leave/perl.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "leave/program.h"
#include "os/process.h"

#ifdef SIGRTMAX
#define EXIT_SIGNAL SIGRTMAX
#else
#define EXIT_SIGNAL 0 /* this system has no signal that nobody uses */
#endif

/* Declared as in perl's public headers for a perl built with threads, where the first argument of
 * every function is the interpreter. */
static struct {
	const pthread_key_t *thread_key; /* of the interpreter; only in a perl with threads */
	void *(*get_specific)(pthread_key_t key);
	void *(*new_xs)(void *perl, const char *name, void (*function)(void *, void *),
	                const char *file);
	void *(*get_hv)(void *perl, const char *name, int32_t flags);
	void *(*hv_common_key_len)(void *perl, void *hash, const char *key, int32_t size, int action,
	                           void *value, uint32_t hash_value);
	void (*sv_setpv_mg)(void *perl, void *scalar, const char *text);
	void (*my_exit)(void *perl, uint32_t status);
} api;

/* What is to be done with an element of a hash. */
enum { HV_FETCH_ISEXISTS = 0x08, HV_FETCH_LVALUE = 0x10, HV_FETCH_JUST_SV = 0x20 };

static bool is_there;
static uint32_t exit_status;

void perl_start(void)
{
	is_there = program_is("perl*") && program_look_up("PL_thr_key", &api.thread_key) &&
	           program_look_up("pthread_getspecific", &api.get_specific) &&
	           program_look_up("Perl_newXS", &api.new_xs) &&
	           program_look_up("Perl_get_hv", &api.get_hv) &&
	           program_look_up("Perl_hv_common_key_len", &api.hv_common_key_len) &&
	           program_look_up("Perl_sv_setpv_mg", &api.sv_setpv_mg) &&
	           program_look_up("Perl_my_exit", &api.my_exit);
}

/* Perl's own function for that is not exported from 5.36 on, where it is built with thread-local
 * variables. */
static void *find_context(void)
{
	return api.get_specific(*api.thread_key);
}

bool perl_may_be_asked(void)
{
	return is_there && find_context() != NULL;
}

bool perl_has_loaded(const char *file)
{
	void *perl = find_context(), *files = api.get_hv(perl, "INC", 0);

	return files != NULL && api.hv_common_key_len(perl, files, file, (int32_t)strlen(file),
	                                              HV_FETCH_ISEXISTS, NULL, 0) != NULL;
}

static void leave(void *perl, void *function)
{
	(void)function;
	api.my_exit(perl, exit_status);
}

/* Does $SIG{RTMAX} = "slshim::leave". Hardly any program has a handler of its own for this signal.
 */
static bool has_handler(void *perl)
{
	static const char name[] = "RTMAX";
	void *signals = api.get_hv(perl, "SIG", 0), **element;

	if (signals == NULL || api.new_xs(perl, "slshim::leave", leave, "slshim") == NULL)
		return false;
	element = api.hv_common_key_len(perl, signals, name, sizeof name - 1,
	                                HV_FETCH_LVALUE | HV_FETCH_JUST_SV, NULL, 0);
	if (element == NULL)
		return false;
	api.sv_setpv_mg(perl, *element, "slshim::leave");
	return process_handles(EXIT_SIGNAL); /* without a handler the signal would kill */
}

bool perl_exits_soon(int status)
{
	void *perl = is_there ? find_context() : NULL;

	exit_status = (uint32_t)status;
	return EXIT_SIGNAL != 0 && perl != NULL && has_handler(perl) &&
	       kill(getpid(), EXIT_SIGNAL) == 0;
}
