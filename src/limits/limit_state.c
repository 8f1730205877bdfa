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

struct verdict verdict;

static struct {
	unsigned over;                  /* as `crossed`, whether or not it counts */
	uint64_t strikes;               /* measurements in a row by which it was */
	uint64_t undecided_at;          /* since when the budget has allowed no walk; 0: it does */
	unsigned wanted;                /* bit q: a limit is set on quantity q */
	unsigned of_request;            /* those that are about the request at hand, ... */
	uint64_t of_others[QUANTITIES]; /* ... and what they were */
	struct kept pressure;
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
	verdict.limit[quantity] = limit;
	self.wanted = policy_limited(verdict.limit);
}

static void draw_limits(void)
{
	uint32_t number = server.config.jitter > 0 ? draw() : 0;

	for (int q = 0; q < QUANTITIES; q++)
		set_limit((enum quantity)q, policy_stricter((enum quantity)q, server.config.limit[q],
		                                            server.config.jitter, number));
}

void verdict_begin(bool serves)
{
	verdict = (struct verdict){.crossed = 0};
	self.over = self.of_request = 0;
	self.strikes = self.undecided_at = 0;
	kept_close(&self.pressure);
	self.pressure.path = server.pressure_path[0] != '\0' ? server.pressure_path : NULL;
	draw_limits();
	meter_begin(&server.config, serves);
	if (serves && self.pressure.path != NULL)
		kept_open(&self.pressure);
}

/* Unknown pressure may be high. */
static bool is_pressed(void)
{
	uint64_t hundredths;
	bool is_known;
	int fd;

	if (server.config.pressure == 0 || self.pressure.path == NULL)
		return true;
	fd = kept_borrow(&self.pressure);
	is_known = machine_pressure(fd, &hundredths);
	kept_return(&self.pressure, fd);
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
	self.over = policy_crossed(verdict.limit, &verdict.sample) | (self.over & undecided);
	if (self.over == 0)
		self.strikes = 0;
	else if (undecided == 0)
		self.strikes++;
}

/* True where nothing was crossed before. */
static bool set(unsigned crossed, uint64_t now)
{
	bool is_new = verdict.crossed == 0 && crossed != 0;

	if (is_new) {
		verdict.since = now;
		verdict.served = worker.served;
		verdict.undecided_for = self.undecided_at > 0 ? now - self.undecided_at : 0;
	}
	verdict.crossed = crossed | (verdict.crossed & VERDICT_ASKED);
	return is_new;
}

/* One that is over such a limit keeps it, until it has left. */
static void end_request(void)
{
	unsigned ended = self.of_request & ~verdict.crossed;

	for (int q = 0; q < QUANTITIES; q++)
		if (ended >> q & 1)
			set_limit((enum quantity)q, self.of_others[q]);
	self.of_request &= ~ended;
}

HOT bool verdict_measure(void)
{
	uint64_t nanoseconds = clock_boot(), now = nanoseconds / 1000000;
	unsigned undecided;
	bool is_new;

	worker.unchecked = 0;
	verdict.sample.known = 0;
	undecided =
	    meter_check(&server.config, verdict.limit, nanoseconds, self.wanted, &verdict.sample);
	count_life(&verdict.sample, now);
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

unsigned verdict_at_birth(void)
{
	verdict.sample.known = 0;
	meter_check(&server.config, verdict.limit, clock_boot(), self.wanted, &verdict.sample);
	for (unsigned left = policy_crossed(verdict.limit, &verdict.sample); left != 0;
	     left &= left - 1)
		set_limit((enum quantity)__builtin_ctz(left), server.config.limit[__builtin_ctz(left)]);
	return policy_crossed(verdict.limit, &verdict.sample);
}

void verdict_forgive(unsigned limits)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (limits >> q & 1)
			set_limit((enum quantity)q, 0);
	self.over &= ~limits;
	verdict.crossed &= ~limits;
}

/* Of a sample that has all that matters. */
static bool judge_again(void)
{
	self.over = policy_crossed(verdict.limit, &verdict.sample);
	verdict.crossed = self.over | (verdict.crossed & VERDICT_ASKED);
	return verdict.crossed != 0;
}

void verdict_again(void)
{
	verdict.sample.known = 0;
	meter_read(server.config.probe, self.wanted, &verdict.sample);
	count_life(&verdict.sample, process_clock());
	judge_again();
}

bool verdict_stands(void)
{
	unsigned unknown = verdict.crossed & ~verdict.sample.known & ALL_QUANTITIES;

	meter_read(server.config.probe, unknown, &verdict.sample);
	return unknown != 0 ? judge_again() : verdict.crossed != 0;
}

void verdict_limit(enum quantity quantity, uint64_t limit)
{
	self.of_request &= ~(1u << quantity);
	set_limit(quantity, limit);
}

void verdict_limit_request(enum quantity quantity, uint64_t limit)
{
	if ((self.of_request >> quantity & 1) == 0)
		self.of_others[quantity] = verdict.limit[quantity];
	self.of_request |= 1u << quantity;
	set_limit(quantity, limit);
}

bool verdict_ask(void)
{
	return set(verdict.crossed | VERDICT_ASKED, process_clock());
}

bool verdict_tell(enum quantity quantity, uint64_t *value)
{
	struct sample sample = {.known = 0};

	meter_read(server.config.probe, 1u << quantity, &sample);
	count_life(&sample, process_clock());
	*value = sample.value[quantity];
	return sample_knows(&sample, quantity);
}

struct sample verdict_describe(void)
{
	struct sample sample = verdict.sample;

	meter_read(server.config.probe, ALL_QUANTITIES & ~sample.known, &sample);
	count_life(&sample, process_clock()); /* since the check, too */
	return sample;
}
