"""Paired runs: variants of one server under the same load, run in turn and in alternating order,
each compared with others of the same round, since machines drift. A table on standard output, and
a picture in build/bench/."""

import argparse
import os
import statistics
import subprocess
from dataclasses import dataclass
from math import exp, log, sqrt
from pathlib import Path

from scipy import stats

BUILD = Path(os.environ.get("SLSHIM_BUILD", Path(__file__).resolve().parents[1] / "build"))
OUTPUT = BUILD / "bench"

PLOT = """
set terminal svg size 900,{height}
set output '{name}.svg'
set multiplot layout 1,2 title '{title}'
set grid x
set yrange [-0.5:{rows}-0.5] reverse
set bars small
set arrow from 1, graph 0 to 1, graph 1 nohead dt 2
set xlabel 'throughput, of that of the first: more is better'
plot '{name}.data' using 2:0:3:4:ytic(1) with xerrorbars pt 7 notitle
set logscale x
set xlabel '99th percentile of the latency, of that of the first: less is better'
plot '{name}.data' using 5:0:6:7:ytic(1) with xerrorbars pt 7 notitle
"""


@dataclass
class Run:
    rate: float  # requests a second
    typical: float  # milliseconds: the 50th percentile
    slow: float  # the 99th
    worst: float
    failed: int
    recycled: int = 0  # workers

    def __str__(self):
        return (
            f"{self.rate:.0f} requests/s, {self.typical:.2f} ms, {self.slow:.2f} ms (99 %),"
            f" {self.worst:.1f} ms (worst), {self.recycled} recycled, {self.failed} failed"
        )


def arguments(description, seconds=0, pairs=30):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--pairs", type=int, default=pairs, help=f"rounds; {pairs} unless told")
    parser.add_argument("--seconds", type=int, default=seconds, help="the length of a run")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 3 s: a first look")
    asked = parser.parse_args()
    if asked.quick:
        asked.pairs = asked.seconds = 3
    if asked.pairs < 2:
        parser.error("--pairs: at least 2, because one ratio has no spread")
    return asked


def one_by_one(measure):
    """For rounds(): each variant by itself."""
    return lambda variants: {name: measure(variant) for name, variant in variants.items()}


def rounds(variants, count, measure_all):
    """{name: [measurement, ...]}: every variant once a round, the order turned round each time."""
    results = {name: [] for name in variants}
    for number in range(count):
        names = list(variants) if number % 2 == 0 else list(reversed(variants))
        for name, run in measure_all({name: variants[name] for name in names}).items():
            results[name].append(run)
            print(f"round {number + 1} of {count}: {name}: {run}", flush=True)
    return results


def ratio(ours, baseline):
    """Geometric mean of the ratios of paired figures, with its 95 % interval (Student's t)."""
    logs = [log(one / other) for one, other in zip(ours, baseline)]
    mean, error = statistics.mean(logs), statistics.stdev(logs) / sqrt(len(logs))
    reach = float(stats.t.ppf(0.975, len(logs) - 1)) * error
    return exp(mean), exp(mean - reach), exp(mean + reach)


def _ratios(runs, baseline):
    """Of the throughput, and of the 99th percentile."""
    return [
        ratio([getattr(run, figure) for run in runs], [getattr(run, figure) for run in baseline])
        for figure in ("rate", "slow")
    ]


def _words(ratios):
    return [f"{mean:.3f} ({low:.3f} to {high:.3f})" for mean, low, high in ratios]


def _draw(name, title, results):
    base = next(iter(results.values()))
    lines = []
    for variant, runs in results.items():
        figures = [f"{figure:.4f}" for each in _ratios(runs, base) for figure in each]
        lines.append(f'"{variant}" {" ".join(figures)}\n')
    path = OUTPUT / name
    path.with_suffix(".data").write_text("".join(lines))
    script = PLOT.format(name=path, title=title, rows=len(lines), height=160 + 40 * len(lines))
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    print(f"picture: {path}.svg")


def report(name, title, results, ours="slshim"):
    """Ratios are to the first variant, and below that of ours to each of the others."""
    base = next(iter(results.values()))
    print(f"\n{title}; {len(base)} rounds; ratios with their 95 % intervals")
    row = "{:<28}{:>12}{:>26}{:>10}{:>34}{:>11}{:>22}{:>10}{:>8}"
    print(row.format("", "requests/s", "throughput", "99 %, ms", "99th percentile", "worst, ms",
                     "over its pair's, ms", "recycled", "failed"))  # fmt: skip
    for variant, runs in results.items():
        throughput, slow = _words(_ratios(runs, base))
        over = max(run.worst - pair.worst for run, pair in zip(runs, base))
        print(row.format(
            variant, f"{statistics.mean(run.rate for run in runs):.0f}", throughput,
            f"{statistics.median(run.slow for run in runs):.2f}", slow,
            f"{max(run.worst for run in runs):.1f}", f"{over:.1f}",
            sum(run.recycled for run in runs), sum(run.failed for run in runs),
        ))  # fmt: skip
    for variant, runs in list(results.items())[1:]:
        if variant != ours:
            throughput, slow = _words(_ratios(results[ours], runs))
            print(f"{ours} / {variant}: throughput {throughput}, 99th percentile {slow}")
    _draw(name, title, results)
