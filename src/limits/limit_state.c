/* limit_state.c - measures and judges. See limit_state.h for what it may not know. */
#include "limits/limit_state.h"

#include <sys/random.h>

#include "core/server.h"
#include "core/worker.h"
#include "limits/meter.h"
#include "limits/policy.h"
#include "os/clock.h"
#include "os/hot.h"
#include "os/machine.h"
#include "os/persistent_file.h"
#include "os/process.h"

enum { ALL_QUANTITIES = (1u << QUANTITIES) - 1 };

struct limit_state limit_state;

static struct {
	unsigned over;                  /* as `crossed`, whether or not it counts */
	uint64_t strikes;               /* measurements in a row by which it was */
	uint64_t undecided_at;          /* since when the budget has allowed no walk; 0: it does */
	unsigned wanted;                /* bit q: a limit is set on quantity q */
	unsigned of_request;            /* those that are about the request at hand, ... */
	uint64_t of_others[QUANTITIES]; /* ... and what they were */
	struct persistent_file pressure;
} self = {.pressure = {.fd = -1}};

/* Not the application's generator: it may have seeded it, to get the same numbers again. */
static uint32_t draw(void)
{
	uint32_t number;

	if (getrandom(&number, sizeof number, GRND_NONBLOCK) == sizeof number)
		return number;
	return (uint32_t)worker.pid * 2654435761u; /* Knuth's multiplicative hash */
}

static void set_limit(enum quantity quantity, uint64_t limit)
{
	limit_state.limit[quantity] = limit;
	self.wanted = policy_limited(limit_state.limit);
}

static void draw_limits(void)
{
	uint32_t number = server.config.jitter > 0 ? draw() : 0;

	for (int q = 0; q < QUANTITIES; q++)
		set_limit((enum quantity)q, policy_stricter((enum quantity)q, server.config.limit[q],
		                                            server.config.jitter, number));
}

void limit_state_begin(bool serves)
{
	limit_state = (struct limit_state){.crossed = 0};
	self.over = self.of_request = 0;
	self.strikes = self.undecided_at = 0;
	persistent_file_close(&self.pressure);
	self.pressure.path = server.pressure_path[0] != '\0' ? server.pressure_path : NULL;
	draw_limits();
	meter_begin(&server.config, serves);
	if (serves && self.pressure.path != NULL)
		persistent_file_open(&self.pressure);
}

/* Unknown pressure may be high. */
static bool is_pressed(void)
{
	uint64_t hundredths;
	bool is_known;
	int fd;

	if (server.config.pressure == 0 || self.pressure.path == NULL)
		return true;
	fd = persistent_file_borrow(&self.pressure);
	is_known = machine_pressure(fd, &hundredths);
	persistent_file_return(&self.pressure, fd);
	return !is_known || hundredths >= server.config.pressure * 100;
}

static bool does_count(uint64_t now)
{
	return self.over != 0 && self.strikes >= server.config.strikes &&
	       now - worker.born >= server.config.min_age && is_pressed();
}

static void count_life(struct sample *sample, uint64_t now)
{
	sample_set(sample, QUANTITY_CONNECTIONS, worker.served);
	if (worker.requests > 0) /* else nobody tells */
		sample_set(sample, QUANTITY_REQUESTS, worker.requests);
	sample_set(sample, QUANTITY_AGE, now - worker.born);
}

static void judge(unsigned undecided)
{
	self.over = policy_crossed(limit_state.limit, &limit_state.sample) | (self.over & undecided);
	if (self.over == 0)
		self.strikes = 0;
	else if (undecided == 0)
		self.strikes++;
}

/* True where nothing was crossed before. */
static bool set(unsigned crossed, uint64_t now)
{
	bool is_new = limit_state.crossed == 0 && crossed != 0;

	if (is_new) {
		limit_state.since = now;
		limit_state.served = worker.served;
		limit_state.undecided_for = self.undecided_at > 0 ? now - self.undecided_at : 0;
	}
	limit_state.crossed = crossed | (limit_state.crossed & CROSSED_BY_REQUEST);
	return is_new;
}

/* One that is over such a limit keeps it, until it has left. */
static void end_request(void)
{
	unsigned ended = self.of_request & ~limit_state.crossed;

	for (int q = 0; q < QUANTITIES; q++)
		if (ended >> q & 1)
			set_limit((enum quantity)q, self.of_others[q]);
	self.of_request &= ~ended;
}

HOT bool limit_state_measure(void)
{
	uint64_t nanoseconds = clock_boot(), now = nanoseconds / 1000000;
	unsigned undecided;
	bool is_new;

	worker.unchecked = 0;
	limit_state.sample.known = 0;
	undecided = meter_check(&server.config, limit_state.limit, nanoseconds, self.wanted,
	                        &limit_state.sample);
	count_life(&limit_state.sample, now);
	judge(undecided);
	if (undecided != 0 && self.undecided_at == 0)
		self.undecided_at = now;
	is_new = set(does_count(now) ? self.over : 0, now);
	if (undecided == 0)
		self.undecided_at = 0;
	if (self.of_request != 0)
		end_request();
	return is_new;
}

unsigned limit_state_at_birth(void)
{
	limit_state.sample.known = 0;
	meter_check(&server.config, limit_state.limit, clock_boot(), self.wanted, &limit_state.sample);
	for (unsigned left = policy_crossed(limit_state.limit, &limit_state.sample); left != 0;
	     left &= left - 1)
		set_limit((enum quantity)__builtin_ctz(left), server.config.limit[__builtin_ctz(left)]);
	return policy_crossed(limit_state.limit, &limit_state.sample);
}

void limit_state_disable(unsigned limits)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (limits >> q & 1)
			set_limit((enum quantity)q, 0);
	self.over &= ~limits;
	limit_state.crossed &= ~limits;
}

/* Of a sample that has all that matters. */
static bool judge_again(void)
{
	self.over = policy_crossed(limit_state.limit, &limit_state.sample);
	limit_state.crossed = self.over | (limit_state.crossed & CROSSED_BY_REQUEST);
	return limit_state.crossed != 0;
}

void limit_state_measure_again(void)
{
	limit_state.sample.known = 0;
	meter_read(server.config.probe, self.wanted, &limit_state.sample);
	count_life(&limit_state.sample, process_clock());
	judge_again();
}

bool limit_state_is_crossed_still(void)
{
	unsigned unknown = limit_state.crossed & ~limit_state.sample.known & ALL_QUANTITIES;

	meter_read(server.config.probe, unknown, &limit_state.sample);
	return unknown != 0 ? judge_again() : limit_state.crossed != 0;
}

void limit_state_set(enum quantity quantity, uint64_t limit)
{
	self.of_request &= ~(1u << quantity);
	set_limit(quantity, limit);
}

void limit_state_set_for_request(enum quantity quantity, uint64_t limit)
{
	if ((self.of_request >> quantity & 1) == 0)
		self.of_others[quantity] = limit_state.limit[quantity];
	self.of_request |= 1u << quantity;
	set_limit(quantity, limit);
}

bool limit_state_ask_to_leave(void)
{
	return set(limit_state.crossed | CROSSED_BY_REQUEST, process_clock());
}

bool limit_state_tell(enum quantity quantity, uint64_t *value)
{
	struct sample sample = {.known = 0};

	meter_read(server.config.probe, 1u << quantity, &sample);
	count_life(&sample, process_clock());
	*value = sample.value[quantity];
	return sample_knows(&sample, quantity);
}

struct sample limit_state_describe(void)
{
	struct sample sample = limit_state.sample;

	meter_read(server.config.probe, ALL_QUANTITIES & ~sample.known, &sample);
	count_life(&sample, process_clock()); /* since the check, too */
	return sample;
}
