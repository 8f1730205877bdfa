#!/usr/bin/env python3
"""What happens to httpd when all of its busy children are over their limit at the same moment.

Three servers, eight children and eight clients each, without keep-alive, in paired runs: one that
recycles nobody; one in which slshim finds every child over its limit from the first hundred
connections on; and one with MaxConnectionsPerChild such that every child ends once in a run, about
as many as slshim recycles. A table and the raw figures go to standard output."""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "end_to_end"))

from pairs import ratio, rounds
from servers import Httpd, leavings, shim, wrk

CHILDREN = CLIENTS = 8
POOL = "MaxSpareServers 8\nMinSpareServers 8\nServerLimit 8\nMaxRequestWorkers 8"


@dataclass
class Run:
    rate: float  # requests a second
    worst: float  # milliseconds that the slowest request took
    recycled: int
    failed: int

    def __str__(self):
        return (
            f"{self.rate:.0f} requests/s, {self.worst:.1f} ms at worst,"
            f" {self.recycled} recycled, {self.failed} failed"
        )


def milliseconds(text):
    """wrk's "Latency  1.20ms  2.50ms  31.14ms  97.12%": average, deviation, maximum."""
    value, unit = re.search(r"Latency +\S+ +\S+ +([\d.]+)(us|ms|s|m)\b", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1000, "m": 60000}[unit]


def measure(seconds):
    def run(_, variant):
        environment, config = variant
        with Httpd(environment, config=f"{POOL}\n{config}", workers_at_start=CHILDREN) as server:
            first = {worker.pid for worker in server.workers()}
            load = wrk(server.url(), seconds, CLIENTS, keep_alive=False)
            left = len(leavings(server.log()))
            gone = len(first - {worker.pid for worker in server.workers()})
            server.stop()
            return Run(load.rate, milliseconds(load.output), left or gone, load.failed)

    return run


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pairs", type=int, default=30)
    arguments.add_argument("--seconds", type=int, default=8, help="a run's length")
    asked = arguments.parse_args()
    run = measure(asked.seconds)
    rate = run(None, ({}, "")).rate
    own = int(rate * asked.seconds / CHILDREN / 2)  # each child ends once, half-way through
    variants = {
        "no recycling": ({}, ""),
        "slshim": (shim(SL_MAX_CONNECTIONS=100), ""),
        f"MaxConnectionsPerChild {own}": ({}, f"MaxConnectionsPerChild {own}"),
    }
    results = rounds(variants, asked.pairs, run)
    base = results["no recycling"]
    print(f"\n{asked.pairs} rounds of {asked.seconds} s, {CHILDREN} children, {CLIENTS} clients")
    row = "{:<30}{:>12}{:>28}{:>14}{:>22}{:>10}{:>8}"
    print(row.format("", "requests/s", "throughput, 95 % interval", "worst, ms",
                     "over its pair's, ms", "recycled", "failed"))  # fmt: skip
    for name, runs in results.items():
        mean, low, high = ratio([r.rate for r in runs], [b.rate for b in base])
        excess = max(r.worst - b.worst for r, b in zip(runs, base))
        print(row.format(
            name, f"{sum(r.rate for r in runs) / len(runs):.0f}",
            f"{mean:.3f} ({low:.3f} to {high:.3f})", f"{max(r.worst for r in runs):.1f}",
            f"{excess:.1f}", sum(r.recycled for r in runs), sum(r.failed for r in runs),
        ))  # fmt: skip


if __name__ == "__main__":
    main()
