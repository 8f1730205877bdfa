/* simulated_pool.h - lives of workers whose growth is known, with noise as real ones have it. The
 * same seed makes the same pool. */
#ifndef SLSHIM_SIMULATED_POOL_H
#define SLSHIM_SIMULATED_POOL_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "cmd/advice.h"

enum { MOST_LIVES = 64, MOST_SAMPLES = 256 };

struct simulation {
	enum advice_kind kind;
	unsigned lives;
	double span, interval; /* seconds */
	double oldest;         /* seconds: how old the first workers are when the watching begins */
	double born;           /* the share of the lives that begin meanwhile */
	double rate;           /* connections a second, of a worker */
	double fresh;          /* bytes */
	double growth;         /* bytes a connection, of leaks and jumps; up to where, of plateaus */
	double jump;           /* bytes */
	double noise;          /* share of the level: its standard deviation */
	double differ;         /* the same, of the growth among lives */
	bool is_over_time;     /* connections are not known */
};

struct simulated_pool {
	struct advice_life lives[MOST_LIVES];
	struct advice_sample samples[MOST_LIVES][MOST_SAMPLES];
};

static uint64_t simulation_state;

static double uniform(double from, double to)
{
	simulation_state = simulation_state * 6364136223846793005u + 1442695040888963407u;
	return from + (to - from) * (double)(simulation_state >> 11) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(1 - uniform(0, 1))) * cos(6.283185307179586 * uniform(0, 1));
}

/* What a worker has after so many connections, `jumped` of it by jumps. */
static double simulated_memory(const struct simulation *how, double served, double growth,
                               double jumped)
{
	static const double filled_after = 60; /* seconds */

	switch (how->kind) {
	case ADVICE_LEAK:
		return how->fresh + growth * served;
	case ADVICE_JUMPS:
		return how->fresh + jumped;
	case ADVICE_PLATEAU:
		return how->fresh + growth * (1 - exp(-served / (how->rate * filled_after)));
	default:
		return how->fresh;
	}
}

/* Jumps come at random; those before the watching are added up beforehand. */
static double simulated_jumps(const struct simulation *how, double served)
{
	double wanted = served * how->growth / how->jump, jumped = 0;

	for (wanted += log(1 - uniform(0, 1)); wanted > 0; wanted += log(1 - uniform(0, 1)))
		jumped += how->jump;
	return jumped;
}

static void simulate_life(const struct simulation *how, struct advice_life *life,
                          struct advice_sample *samples, bool is_born)
{
	double age = is_born ? 0 : uniform(0.3, 1) * how->oldest;
	double at = is_born ? uniform(0, 0.3) * how->span : 0, begin = at;
	double rate = how->rate * uniform(0.5, 1.5),
	       growth = how->growth * (1 + how->differ * normal());
	double served = age * rate, jumped = 0, noise = normal();

	if (how->kind == ADVICE_JUMPS)
		jumped = simulated_jumps(how, served);
	life->samples = samples;
	life->count = 0;
	for (; at < how->span && life->count < MOST_SAMPLES; at += how->interval) {
		double memory = simulated_memory(how, served, growth, jumped), more;

		noise = 0.5 * noise + 0.866 * normal();
		samples[life->count++] = (struct advice_sample){
		    .at = at,
		    .age = age + at - begin,
		    .served = how->is_over_time ? NAN : floor(served),
		    .busy = NAN,
		    .unshared = fmax(0, memory * (1 + how->noise * noise)),
		};
		more = rate * how->interval * uniform(0.2, 1.8);
		served += more;
		if (how->kind == ADVICE_JUMPS)
			jumped += simulated_jumps(how, more);
	}
}

static void simulate(const struct simulation *how, struct simulated_pool *pool, uint64_t seed)
{
	simulation_state = seed * 2654435761u + 1;
	for (int i = 0; i < 10; i++)
		uniform(0, 1);
	for (unsigned i = 0; i < how->lives; i++)
		simulate_life(how, &pool->lives[i], pool->samples[i],
		              how->oldest <= 0 || i < how->born * how->lives);
}

#endif
