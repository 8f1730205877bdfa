"""Paired runs: variants of one server, run in turn and in alternating order, each compared with the
first of the same round, since machines drift."""

import statistics
from math import exp, log, sqrt

from scipy import stats


def rounds(variants, count, measure):
    """{name: [measurement, ...]}: every variant once a round, the order turned round each time."""
    results = {name: [] for name in variants}
    for number in range(count):
        names = list(variants) if number % 2 == 0 else list(reversed(variants))
        for name in names:
            results[name].append(measure(name, variants[name]))
            print(f"round {number + 1} of {count}: {name}: {results[name][-1]}", flush=True)
    return results


def ratio(ours, baseline):
    """Geometric mean of the ratios of paired figures, with its 95 % interval (Student's t)."""
    logs = [log(one / other) for one, other in zip(ours, baseline)]
    mean, error = statistics.mean(logs), statistics.stdev(logs) / sqrt(len(logs))
    reach = float(stats.t.ppf(0.975, len(logs) - 1)) * error
    return exp(mean), exp(mean - reach), exp(mean + reach)
