#!/usr/bin/env python3
"""What it costs httpd and mod_perl to measure every child after every connection: a handler that
does next to nothing, in children of a master that has preloaded 200 MB or 1 GB; one-shot
connections. In paired runs: nobody measures; slshim has a limit on unshared memory; and
Apache2::SizeLimit, as packaged, one on the size, for which it reads statm."""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "end_to_end"))

from pairs import ratio, rounds
from servers import Httpd, growing, shim, wrk

CHILDREN = CLIENTS = 8
POOL = "MaxSpareServers 8\nMinSpareServers 8\nServerLimit 8\nMaxRequestWorkers 8"
SIZELIMIT = """
PerlModule Apache2::SizeLimit
<Perl>
    Apache2::SizeLimit->set_max_process_size(64 * 1024 * 1024);
</Perl>
PerlCleanupHandler Apache2::SizeLimit
"""
VARIANTS = {
    "nobody": ({}, ""),
    "slshim": (shim(SL_MAX_UNSHARED="64M"), ""),
    "Apache2::SizeLimit": ({}, SIZELIMIT),
}


@dataclass
class Run:
    rate: float  # requests a second
    latency: str  # wrk's words for the 50th and 99th percentile
    failed: int

    def __str__(self):
        return f"{self.rate:.0f} requests/s, {self.latency}, {self.failed} failed"


def measure(megabytes, seconds):
    def run(_, variant):
        environment, config = variant
        config = f"{POOL}\n{growing(megabytes, 0)}\n{config}"
        with Httpd(environment, 1, ("perl",), config, workers_at_start=CHILDREN) as server:
            load = wrk(server.url("/grow"), seconds, CLIENTS, keep_alive=False)
            server.stop()
        percentiles = re.findall(r"^ +(50|99)% +(\S+)", load.output, re.MULTILINE)
        words = ", ".join(f"{part} % within {time}" for part, time in percentiles)
        return Run(load.rate, words, load.failed)

    return run


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pairs", type=int, default=30)
    arguments.add_argument("--seconds", type=int, default=4, help="a run's length")
    asked = arguments.parse_args()
    for megabytes in (200, 1024):
        results = rounds(VARIANTS, asked.pairs, measure(megabytes, asked.seconds))
        base = [run.rate for run in results["nobody"]]
        print(f"\n{megabytes} MB preloaded, {asked.pairs} rounds of {asked.seconds} s")
        for name, runs in results.items():
            mean, low, high = ratio([run.rate for run in runs], base)
            print(
                f"{name:<20} {sum(run.rate for run in runs) / len(runs):8.0f} requests/s,"
                f" {mean:.3f} ({low:.3f} to {high:.3f}) of nobody's,"
                f" {sum(run.failed for run in runs)} failed; the last run: {runs[-1].latency}"
            )


if __name__ == "__main__":
    main()
