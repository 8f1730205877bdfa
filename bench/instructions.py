#!/usr/bin/env python3
"""Instructions that the hooks add to the calls that a server makes most, counted by valgrind's
callgrind: the same at every run, however busy the machine.

Prints a table; ends with 1 if a count is above its ceiling."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD = Path(os.environ.get("SLSHIM_BUILD", Path(__file__).resolve().parents[1] / "build"))
FEW, MANY = 100, 300

# The way out is named, for no profile knows the loop.
SHIM = {
    "LD_PRELOAD": str(BUILD / ".libs" / "libslshim.so"),
    "SL_LEAVE": "TERM@close",
    "SL_LOG": "off",
}
# Measured once in a million connections: the way to a check that is not due; and at each of them.
SELDOM = SHIM | {"SL_MAX_CONNECTIONS": "1000000", "SL_CHECK_EVERY": "1000000"}
ALWAYS = SHIM | {"SL_MAX_UNSHARED": "100G"}
# Of a program that is no server, beyond those that an empty library takes.
LIMIT = {"SL_MAX_UNSHARED": "64M"}
STARTS = [
    ("added to the start of a program, no limit set", {}, 14000),
    ("added to the start of a program, a limit set", LIMIT, 19000),
]
IDLE = SELDOM | {"SL_LEAVE": "TERM@idle"}


def count(what, times, environment):
    """Instructions inside the loop of the worker, calls included."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                f"--toggle-collect={what}_many",
                f"--callgrind-out-file={directory}/out",
                str(BUILD / "bench" / "call_loop"),
                what,
                str(times),
            ],
            env=os.environ | environment,
            text=True,
            capture_output=True,
            timeout=120,
            check=True,
        )
    return max(int(n) for n in re.findall(r"Collected : (\d+)", done.stderr))


def each(what, environment):
    """Instructions of one turn of the loop; what happens once only is not in it."""
    return (count(what, MANY, environment) - count(what, FEW, environment)) / (MANY - FEW)


def start(library, environment):
    """Instructions of a program that does nothing, the loader's included."""
    preloaded = environment | {"LD_PRELOAD": str(library)}
    given = [f"{name}={value}" for name, value in preloaded.items()]
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "/bin/true"]
    done = subprocess.run(
        ["env", "-i", *given, f"PATH={os.environ['PATH']}", *command],
        text=True, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def added(what, environment):
    return each(what, environment) - each(what, {})


def main():
    pair, pair_without = each("pair", SELDOM), each("pair", {})
    rows = [
        ("added to a close of a descriptor that is no connection", added("close", SELDOM), 10),
        ("added to an accept, no check due", added("accept", SELDOM), 175),
        ("added to accept and close of a connection, no check due", pair - pair_without, 228),
        ("the same without the shim, which another C library changes", pair_without, None),
        ("added to a pipe and two closes", added("pipe", SELDOM), 75),
        ("added to a poll, no check due", added("poll", IDLE), 105),
        ("added to an epoll_wait, no check due", added("epoll", IDLE), 95),
        ("added to accept and close by a check, no fault since", each("pair", ALWAYS) - pair, 535),
    ]
    empty = start(BUILD / "bench" / ".libs" / "empty.so", LIMIT)
    for title, environment, ceiling in STARTS:
        rows.append((title, start(SHIM["LD_PRELOAD"], environment) - empty, ceiling))
    print(f"{'instructions':>12} {'ceiling':>8}")
    for title, instructions, ceiling in rows:
        print(f"{instructions:12.1f} {ceiling or '-':>8}  {title}")
    return any(ceiling is not None and instructions > ceiling for _, instructions, ceiling in rows)


if __name__ == "__main__":
    sys.exit(main())
