#!/usr/bin/env python3
"""What the library itself takes: unshared memory of an httpd child that has served and was
measured; and time at the start of a program that is no server, against that of preloading an empty
library, in paired runs."""

import os
import shutil
import statistics
import tempfile
import time

from pairs import BUILD, arguments, ratio
from peers import httpd, wait_for_workers
from servers import LIBRARY, ab, shim, unshared

CHILDREN, STARTS = 8, 200
LIMIT = {"SL_MAX_UNSHARED": "64M"}
EMPTY = BUILD / "bench" / ".libs" / "empty.so"
STARTED = {  # the library, and other variables
    "nothing": (None, {}),
    "an empty library": (EMPTY, {}),
    "slshim, no limit set": (LIBRARY, {}),
    "slshim, a limit set": (LIBRARY, LIMIT),
}
# What hardly anybody has, but must not suffer from; added to each of the above.
CROWDS = {
    "10,000 unknown variables": {f"SL_WHATEVER_{i}": "1" for i in range(10000)},
    "a megabyte of others": {f"OTHER_{i}": "x" * 100 for i in range(9500)},
}


def kilobytes(environment):
    """Unshared memory of each child."""
    with httpd(environment, workers=CHILDREN) as server:
        wait_for_workers(server)
        load = ab(server.url(), 500 * CHILDREN, CHILDREN)
        assert load.failed == 0, load.output
        return [unshared(worker) / 1024 for worker in server.workers()]


def show_memory(rounds):
    added = []
    for _ in range(rounds):
        without, with_it = (statistics.mean(kilobytes(e)) for e in ({}, shim(**LIMIT)))
        added.append(with_it - without)
    print(f"unshared memory that slshim adds to a child of httpd: {statistics.mean(added):.1f} KB"
          f" ({min(added):.1f} to {max(added):.1f})")  # fmt: skip


def seconds(environment):
    start = time.perf_counter()
    os.waitpid(os.posix_spawn("/bin/true", ["true"], environment), 0)
    return time.perf_counter() - start


def medians(others={}):
    """Microseconds, of starts that were made in turn, each time with fresh copies of the libraries: how
    a file lies in the page cache makes more of a difference than what is in it."""
    times = {name: [] for name in STARTED}
    with tempfile.TemporaryDirectory() as directory:
        environments = {
            name: others | variables | ({"LD_PRELOAD": shutil.copy(library, directory)} if library else {})
            for name, (library, variables) in STARTED.items()
        }
        for _ in range(STARTS):
            for name, environment in environments.items():
                times[name].append(seconds(environment) * 1e6)
    return {name: statistics.median(all) for name, all in times.items()}


def show_starts(rounds):
    runs = [medians() for _ in range(rounds)]
    empty = [run["an empty library"] - run["nothing"] for run in runs]
    for name in STARTED:
        print(f"start of /bin/true, preloaded: {name:<21}"
              f"{statistics.median(run[name] for run in runs):8.1f} µs", end="")  # fmt: skip
        if name.startswith("slshim"):
            mean, low, high = ratio([run[name] - run["nothing"] for run in runs], empty)
            print(f", adds {mean:.3f} ({low:.3f} to {high:.3f}) of what the empty one does", end="")
        print()


def show_crowds(rounds):
    """Against the same environment without the library."""
    for crowd, others in CROWDS.items():
        runs = [medians(others) for _ in range(rounds)]
        for name in STARTED:
            added = [(run[name] - run["nothing"]) / 1000 for run in runs]
            if name.startswith("slshim"):
                print(f"start of /bin/true with {crowd}: {name:<21} adds {statistics.median(added):.3f} ms"
                      f" ({min(added):.3f} to {max(added):.3f})")  # fmt: skip


def main():
    asked = arguments(__doc__)
    show_memory(min(asked.pairs, 5))
    show_starts(asked.pairs)
    show_crowds(min(asked.pairs, 5))


if __name__ == "__main__":
    main()
