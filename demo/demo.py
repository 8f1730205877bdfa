#!/usr/bin/env python3
"""The main job, shown: a server whose workers unshare a little memory with every request, under
the same load without and with slshim. A line for each leaving, a table, and a picture."""

import argparse
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "end_to_end"))

from servers import (  # noqa: E402
    BUILD, Httpd, LeakyPrefork, Missing, Repeated, Sampler, growing, leavings, shim, tool, wrk
)  # fmt: skip

MB = 1024 * 1024
LIMIT_MB, PRELOADED_MB, WORK, CLIENTS, WORKERS = 10, 64, 60000, 4, 8
TO_LIMIT = 6  # seconds in which a worker is to come to the limit, however fast the machine is
PAGE_KB = 4
OUTPUT = BUILD / "demo"

PLOT = """
set output '{output}'
set terminal {terminal}
set title 'Unshared memory of every worker, {server}, {clients} clients, {unshared} KB a request'
set xlabel 'seconds'
set ylabel 'MB'
set key top left
set grid
plot '{directory}/without' using 1:2 with lines lc rgb '#b0b0b0' title 'without slshim', \\
     '{directory}/with' using 1:2 with lines lc rgb '#0060ad' title 'with SL_MAX_UNSHARED={limit}M', \\
     {limit} with lines dt 2 lc rgb '#c00000' title 'limit'
"""


def open_server(limited, unshared_kb):
    variables = {"SL_MAX_UNSHARED": f"{LIMIT_MB}M", "SL_MAX_LEAVING": 2}
    try:
        return Httpd(
            shim(**variables) if limited else {},
            modules=("perl",),
            config=growing(PRELOADED_MB, unshared_kb, WORK),
            workers_at_start=WORKERS,
        )
    except Missing as missing:
        print(f"{missing}: examples/leaky_prefork, a prefork server of our own, takes its place")
        environment = shim(SL_LEAVE="QUIT@close", **variables) if limited else {}
        return LeakyPrefork(environment, preloaded_mb=PRELOADED_MB, leaked_kb=unshared_kb)


class Follower(Repeated):
    """Prints a line for each leaving, as it happens."""

    def __init__(self, server):
        super().__init__(0.1, self._show)
        self.server, self.shown = server, 0

    def _show(self):
        for leaving in leavings(self.server.log())[self.shown :]:
            value, threshold = leaving.limits["SL_MAX_UNSHARED"]
            print(
                f"  worker {leaving.pid} leaves: {value} KB unshared, limit {threshold} KB, "
                f"after {leaving.connections} connections"
            )
            self.shown += 1


def write_history(name, history):
    """A block of lines for each worker: seconds, MB."""
    workers = sorted({pid for _, sizes in history for pid in sizes})
    with open(OUTPUT / name, "w") as file:
        for pid in workers:
            for second, sizes in history:
                if pid in sizes:
                    print(f"{second:.2f} {sizes[pid] / MB:.2f}", file=file)
            print("\n", file=file)


def path_of(server):
    return ("/grow",) if isinstance(server, Httpd) else ()


def find_growth():
    """KB that each request is to unshare, in whole pages."""
    seconds = 3
    with open_server(False, PAGE_KB) as server:
        rate = wrk(server.url(*path_of(server)), seconds, CLIENTS, keep_alive=False).rate
        server.stop()
    pages = LIMIT_MB * 1024 * WORKERS / (rate * TO_LIMIT) / PAGE_KB
    return PAGE_KB * max(1, round(pages))


def show(limited, seconds, unshared_kb):
    name = "with" if limited else "without"
    print(f"\n{name} slshim, {seconds} s:")
    with open_server(limited, unshared_kb) as server:
        with Follower(server), Sampler(server) as sampler:
            load = wrk(server.url(*path_of(server)), seconds, CLIENTS, keep_alive=False)
        server.stop()
        write_history(name, sampler.history)
        highest = max(sampler.highest.values()) / MB
        recycled = len(leavings(server.log()))
        kind = "httpd prefork with mod_perl" if isinstance(server, Httpd) else "leaky_prefork"
        return kind, (load.requests, load.failed, recycled, f"{highest:.1f}", f"{load.rate:.0f}")


def draw(server, unshared_kb):
    for suffix, terminal in ("svg", "svg noenhanced size 900,500"), ("png", "pngcairo noenhanced size 900,500"):
        script = PLOT.format(
            output=OUTPUT / f"memory.{suffix}",
            terminal=terminal,
            directory=OUTPUT,
            limit=LIMIT_MB,
            clients=CLIENTS,
            unshared=unshared_kb,
            server=server,
        )
        subprocess.run([tool("gnuplot")], input=script, text=True, check=True)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=25, help="of load, each time")
    seconds = options.parse_args().seconds
    OUTPUT.mkdir(exist_ok=True)

    unshared_kb = find_growth()
    print(f"\n{WORKERS} workers, of which each unshares {unshared_kb} KB with every request")
    kind, without = show(False, seconds, unshared_kb)
    _, limited = show(True, seconds, unshared_kb)
    titles = (
        "requests", "failed", "workers recycled", "highest unshared memory, MB", "requests/s"
    )  # fmt: skip
    print(f"\n{kind:<30}{'without':>10}{'with slshim':>14}")
    for title, left, right in zip(titles, without, limited):
        print(f"{title:<30}{left:>10}{right:>14}")
    try:
        draw(kind, unshared_kb)
        print(f"\nmemory over time: {OUTPUT}/memory.svg and {OUTPUT}/memory.png")
    except Missing as missing:
        print(f"\n{missing}: no picture; its data are in {OUTPUT}")
    return limited[1] != 0 or without[1] != 0


if __name__ == "__main__":
    sys.exit(main())
