/* limit_state.c - measures, and judges what was measured. */
#include "limits/limit_state.h"

#include <stddef.h>
#include <unistd.h>

#include "limits/policy.h"
#include "os/clock.h"
#include "os/hot.h"
#include "os/machine.h"
#include "os/number.h"
#include "os/process.h"
#include "os/random.h"

enum { ALL_QUANTITIES = (1u << QUANTITIES) - 1 };

/* Does not use rand(), because the application may have seeded it to get a certain sequence. */
static uint32_t draw(void)
{
	uint32_t number;

	if (random_number(&number))
		return number;
	return (uint32_t)getpid() * 2654435761u; /* Knuth's multiplicative hash */
}

static void set_limit(struct limit_state *state, enum quantity quantity, uint64_t limit)
{
	state->limit[quantity] = limit;
	state->wanted = policy_limited(state->limit);
	state->meter.most_proportional = state->limit[QUANTITY_PROPORTIONAL];
}

/* A pool has one limit, because jitter is to keep workers from crossing theirs all at once. */
static void draw_limits(struct limit_state *state)
{
	uint32_t number = state->config->jitter > 0 ? draw() : 0;

	for (int q = 0; q < QUANTITIES; q++)
		set_limit(state, (enum quantity)q,
		          policy_stricter((enum quantity)q, state->config->limit[q],
		                          q != QUANTITY_POOL ? state->config->jitter : 0, number));
}

void limit_state_begin(struct limit_state *state, const struct config *config,
                       const struct life *life, const char *pressure_path, bool serves)
{
	persistent_file_close(&state->pressure);
	*state = (struct limit_state){
	    .config = config,
	    .life = life,
	    .pressure = {.path = pressure_path[0] != '\0' ? pressure_path : NULL, .fd = -1},
	    .meter = state->meter,
	};
	draw_limits(state);
	meter_begin(&state->meter, config, serves);
	if (serves && state->pressure.path != NULL)
		persistent_file_open(&state->pressure);
}

void limit_state_begin_serving(struct limit_state *state)
{
	meter_note_inherited(&state->meter, state->config->probe, state->limit);
}

void limit_state_keep(struct limit_state *state)
{
	meter_note_inherited(&state->meter, state->config->probe, state->limit);
	meter_keep(&state->meter, state->config);
	if (state->pressure.path != NULL)
		persistent_file_open(&state->pressure);
}

/* An unknown pressure may be high. */
static bool is_pressed(struct limit_state *state)
{
	uint64_t hundredths;
	bool is_known;
	int fd;

	if (state->config->pressure == 0 || state->pressure.path == NULL)
		return true;
	fd = persistent_file_borrow(&state->pressure);
	is_known = machine_pressure(fd, &hundredths);
	persistent_file_return(&state->pressure, fd);
	return !is_known || hundredths >= state->config->pressure * 100;
}

static bool does_count(struct limit_state *state, uint64_t now)
{
	return state->over != 0 && state->strikes >= state->config->strikes &&
	       now - state->life->born >= state->config->min_age && is_pressed(state);
}

/* Those that have not measured themselves have served nothing yet. They share as much as this one
 * at least, which has changed some of that. */
RARE static uint64_t add_up_pool(const struct limit_state *state)
{
	const struct meter *meter = &state->meter;
	const struct company *company = &state->life->company;
	uint64_t sum = meter->proportional;

	if (meter->proportional > meter->unshared)
		sum += (meter->proportional - meter->unshared) * company->unmeasured;
	return number_add(sum, company->proportional);
}

RARE static void count_pool(const struct limit_state *state, struct sample *sample)
{
	if (state->meter.proportional != 0 && state->life->company.is_known)
		sample_set(sample, QUANTITY_POOL, add_up_pool(state));
}

static void count_life(const struct limit_state *state, struct sample *sample, uint64_t now)
{
	sample_set(sample, QUANTITY_CONNECTIONS, state->life->served);
	if (state->life->requests > 0) /* 0: the application reports none */
		sample_set(sample, QUANTITY_REQUESTS, state->life->requests);
	sample_set(sample, QUANTITY_AGE, now - state->life->born);
	if (state->limit[QUANTITY_POOL] != 0)
		count_pool(state, sample);
}

/* The limit of the pool is not for one that has less unshared memory than the others on average,
 * because as much would soon be taken by its replacement. */
RARE static bool leaves_pool_to_others(const struct limit_state *state)
{
	const struct company *company = &state->life->company;

	return company->count > 0 && state->meter.unshared < company->unshared / company->count;
}

static inline unsigned find_crossed(const struct limit_state *state)
{
	unsigned crossed = policy_crossed(state->limit, &state->sample);

	if (crossed >> QUANTITY_POOL & 1 && leaves_pool_to_others(state))
		crossed &= ~(1u << QUANTITY_POOL);
	return crossed;
}

static void judge(struct limit_state *state, unsigned undecided)
{
	state->over = find_crossed(state) | (state->over & undecided);
	if (state->over == 0)
		state->strikes = 0;
	else if (undecided == 0)
		state->strikes++;
}

/* Returns true if no limit was crossed before. */
static bool set(struct limit_state *state, unsigned crossed, uint64_t now)
{
	bool is_new = state->crossed == 0 && crossed != 0;

	if (is_new) {
		state->since = now;
		state->served = state->life->served;
		state->undecided_for = state->undecided_at > 0 ? now - state->undecided_at : 0;
	}
	state->crossed = crossed | (state->crossed & CROSSED_BY_REQUEST);
	return is_new;
}

/* A worker that is over a limit of its request keeps this limit until it has left. */
static void end_request(struct limit_state *state)
{
	unsigned ended = state->of_request & ~state->crossed;

	for (int q = 0; q < QUANTITIES; q++)
		if (ended >> q & 1)
			set_limit(state, (enum quantity)q, state->of_others[q]);
	state->of_request &= ~ended;
}

/* What the limit of the pool leaves to this worker before it measures itself again: so that what
 * all of them have grown by unmeasured, be they idle for good since, is a quarter of what is left
 * to the pool, and in the end a thirtieth of its limit. */
RARE static uint64_t find_most_proportional(const struct limit_state *state)
{
	enum { PARTS_LEFT = 4, PARTS = 32 };
	const struct company *company = &state->life->company;
	uint64_t own = state->meter.proportional, own_limit = state->limit[QUANTITY_PROPORTIONAL];
	uint64_t limit = state->limit[QUANTITY_POOL], all = add_up_pool(state), left, most;

	if (!company->is_known)
		return own_limit;
	if (own == 0) /* it was never measured */
		return 1;
	left = all < limit ? (limit - all) / PARTS_LEFT : 0;
	most = own + (left > limit / PARTS ? left : limit / PARTS) /
	                 (company->count + company->unmeasured + 1);
	return own_limit == 0 || most < own_limit ? most : own_limit;
}

HOT bool limit_state_measure(struct limit_state *state)
{
	uint64_t nanoseconds = clock_boot(), now = nanoseconds / 1000000;
	unsigned undecided;
	bool is_new;

	state->sample.known = 0;
	state->measured_at = now;
	if (state->limit[QUANTITY_POOL] != 0)
		state->meter.most_proportional = find_most_proportional(state);
	undecided = meter_check(&state->meter, state->config, state->limit, nanoseconds, state->wanted,
	                        &state->sample);
	count_life(state, &state->sample, now);
	judge(state, undecided);
	if (undecided != 0 && state->undecided_at == 0)
		state->undecided_at = now;
	is_new = set(state, does_count(state, now) ? state->over : 0, now);
	if (undecided == 0)
		state->undecided_at = 0;
	if (state->of_request != 0)
		end_request(state);
	return is_new;
}

unsigned limit_state_at_birth(struct limit_state *state)
{
	state->sample.known = 0;
	meter_check(&state->meter, state->config, state->limit, clock_boot(), state->wanted,
	            &state->sample);
	for (unsigned left = policy_crossed(state->limit, &state->sample); left != 0; left &= left - 1)
		set_limit(state, (enum quantity)__builtin_ctz(left),
		          state->config->limit[__builtin_ctz(left)]);
	return policy_crossed(state->limit, &state->sample);
}

bool limit_state_is_blind(struct limit_state *state)
{
	return meter_is_blind(&state->meter, state->config, state->wanted);
}

void limit_state_disable(struct limit_state *state, unsigned limits)
{
	for (int q = 0; q < QUANTITIES; q++)
		if (limits >> q & 1)
			set_limit(state, (enum quantity)q, 0);
	state->over &= ~limits;
	state->crossed &= ~limits;
}

/* Judges a sample in which nothing is undecided. */
static bool judge_again(struct limit_state *state)
{
	state->over = find_crossed(state);
	state->crossed = state->over | (state->crossed & CROSSED_BY_REQUEST);
	return state->crossed != 0;
}

void limit_state_measure_again(struct limit_state *state)
{
	state->sample.known = 0;
	meter_read(&state->meter, state->config->probe, state->wanted, &state->sample);
	count_life(state, &state->sample, process_clock());
	judge_again(state);
}

bool limit_state_is_crossed_still(struct limit_state *state)
{
	bool is_of_pool = state->crossed >> QUANTITY_POOL & 1;
	unsigned asked = state->crossed | (is_of_pool ? 1u << QUANTITY_PROPORTIONAL : 0);
	unsigned unknown = asked & ~state->sample.known & ALL_QUANTITIES;

	meter_read(&state->meter, state->config->probe, unknown, &state->sample);
	if (is_of_pool)
		count_pool(state, &state->sample);
	return unknown != 0 || is_of_pool ? judge_again(state) : state->crossed != 0;
}

void limit_state_set(struct limit_state *state, enum quantity quantity, uint64_t limit)
{
	state->of_request &= ~(1u << quantity);
	set_limit(state, quantity, limit);
}

void limit_state_set_for_request(struct limit_state *state, enum quantity quantity, uint64_t limit)
{
	if ((state->of_request >> quantity & 1) == 0)
		state->of_others[quantity] = state->limit[quantity];
	state->of_request |= 1u << quantity;
	set_limit(state, quantity, limit);
}

bool limit_state_ask_to_leave(struct limit_state *state)
{
	return set(state, state->crossed | CROSSED_BY_REQUEST, process_clock());
}

bool limit_state_tell(struct limit_state *state, enum quantity quantity, uint64_t *value)
{
	struct sample sample = {.known = 0};

	meter_read(&state->meter, state->config->probe, 1u << quantity, &sample);
	count_life(state, &sample, process_clock());
	*value = sample.value[quantity];
	return sample_knows(&sample, quantity);
}

struct sample limit_state_glance(struct limit_state *state)
{
	enum { CHEAP = 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT | 1u << QUANTITY_SWAPPED };
	struct sample sample = {.known = 0};

	meter_read(&state->meter, state->config->probe, CHEAP, &sample);
	return sample;
}

struct sample limit_state_describe(struct limit_state *state)
{
	const unsigned summed_up = 1u << QUANTITY_POOL; /* of no use to ask a probe for it */
	struct sample sample = state->sample;

	meter_read(&state->meter, state->config->probe, ALL_QUANTITIES & ~sample.known & ~summed_up,
	           &sample);
	count_life(state, &sample, process_clock());     /* counts have grown since the check */
	if (sample_knows(&state->sample, QUANTITY_POOL)) /* as it was judged */
		sample.value[QUANTITY_POOL] = state->sample.value[QUANTITY_POOL];
	return sample;
}
