/* application.c - the functions of include/slshim.h, and nothing else: what they change is
 * said in core/application.h.
 *
 * May not know: more than the arguments and the answers. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/application.h"
#include "core/server.h"
#include "core/startup.h"
#include "core/worker.h"
#include "hooks/hook.h"
#include "quantity.h"
#include "slshim.h"

static int fail(int error)
{
	errno = error;
	return -1;
}

/* Of an answer of core/application.h, which is 0 or an errno. */
static int answer(int error)
{
	return error == 0 ? 0 : fail(error);
}

static bool is_watched(void)
{
	return (server.is_on || (server_is_asleep && startup_wake())) && worker_is_current();
}

static int set(const char *variable, const char *value, bool for_request)
{
	enum quantity quantity;
	uint64_t number;

	if (!is_watched())
		return fail(EOPNOTSUPP);
	if (variable == NULL || value == NULL)
		return fail(EINVAL);
	if (!for_request && config_read_interval(variable, value, &number)) {
		server_check_every(number);
		return 0;
	}
	switch (server_read_limit(variable, value, &quantity, &number)) {
	case LIMIT_IS_READ:
		return answer(for_request ? application_limit_request(quantity, number)
		                          : application_limit(quantity, number));
	case LIMIT_IS_UNSCALED:
		return fail(ENODATA);
	default:
		return fail(EINVAL);
	}
}

HOOK int slshim_limit(const char *variable, const char *value)
{
	return set(variable, value, false);
}

HOOK int slshim_limit_request(const char *variable, const char *value)
{
	return set(variable, value, true);
}

HOOK int slshim_check(void)
{
	return is_watched() ? answer(application_check()) : fail(EOPNOTSUPP);
}

HOOK int slshim_recycle(void)
{
	return is_watched() ? answer(application_leave()) : fail(EOPNOTSUPP);
}

HOOK int slshim_request_done(void)
{
	return is_watched() ? answer(application_request_done()) : fail(EOPNOTSUPP);
}

HOOK long long slshim_measure(const char *name)
{
	uint64_t value;
	int error;

	if (!is_watched())
		return fail(EOPNOTSUPP);
	for (int q = 0; name != NULL && q < QUANTITIES; q++)
		if (strcmp(name, quantity_kinds[q].name) == 0) {
			error = application_measure((enum quantity)q, &value);
			return error == 0 ? (long long)value : fail(error);
		}
	return fail(EINVAL);
}
