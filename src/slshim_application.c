/* slshim_application.c - the functions of include/slshim.h, and nothing else: what they change is
 * said in recycle.h.
 *
 * May not know: more than the arguments and the answers. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "quantity.h"
#include "recycle.h"
#include "server.h"
#include "slshim.h"
#include "worker.h"

#define HOOK __attribute__((visibility("default")))

static int fail(int error)
{
	errno = error;
	return -1;
}

/* Of an answer of recycle.h, which is 0 or an errno. */
static int answer(int error)
{
	return error == 0 ? 0 : fail(error);
}

static bool is_watched(void)
{
	return server.is_on && worker_is_current();
}

static int set_limit(const char *variable, const char *value, bool for_request)
{
	enum quantity quantity;
	uint64_t limit;

	switch (server_read_limit(variable, value, &quantity, &limit)) {
	case LIMIT_IS_READ:
		return answer(for_request ? recycle_limit_request(quantity, limit)
		                          : recycle_limit(quantity, limit));
	case LIMIT_IS_UNSCALED:
		return fail(ENODATA);
	default:
		return fail(EINVAL);
	}
}

HOOK int slshim_limit(const char *variable, const char *value)
{
	uint64_t check_every;

	if (!is_watched())
		return fail(EOPNOTSUPP);
	if (variable == NULL || value == NULL)
		return fail(EINVAL);
	if (!config_read_interval(variable, value, &check_every))
		return set_limit(variable, value, false);
	server_check_every(check_every);
	return 0;
}

HOOK int slshim_limit_request(const char *variable, const char *value)
{
	if (!is_watched())
		return fail(EOPNOTSUPP);
	if (variable == NULL || value == NULL)
		return fail(EINVAL);
	return set_limit(variable, value, true);
}

HOOK int slshim_check(void)
{
	return is_watched() ? answer(recycle_check()) : fail(EOPNOTSUPP);
}

HOOK int slshim_recycle(void)
{
	return is_watched() ? answer(recycle_worker()) : fail(EOPNOTSUPP);
}

HOOK int slshim_request_done(void)
{
	return is_watched() ? answer(recycle_request_done()) : fail(EOPNOTSUPP);
}

HOOK long long slshim_measure(const char *name)
{
	uint64_t value;
	int error;

	if (!is_watched())
		return fail(EOPNOTSUPP);
	for (int q = 0; name != NULL && q < QUANTITIES; q++)
		if (strcmp(name, quantity_kinds[q].name) == 0) {
			error = recycle_measure((enum quantity)q, &value);
			return error == 0 ? (long long)value : fail(error);
		}
	return fail(EINVAL);
}
