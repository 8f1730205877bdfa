#!/usr/bin/env python3
"""What it costs to look at a pool of 1,100 workers: a call of slshim status, against one of ps that
lists the same processes, in paired runs; and the processor time that slshim top and procps' top take
at one look a second, in a terminal of 200 columns."""

import statistics
import subprocess
import sys
import time
from math import exp, log
from pathlib import Path

import psutil

END_TO_END = Path(__file__).resolve().parents[1] / "tests" / "end_to_end"
sys.path[:0] = [str(END_TO_END), str(END_TO_END / "command")]

from pairs import BUILD, arguments
from servers import LeakyPrefork, ab, shim, tool
from terminal import Terminal

WORKERS = 1100
SLSHIM = str(BUILD / "slshim")


def milliseconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def show_calls(master, rounds):
    commands = {
        "ps": [tool("ps"), "-o", "pid,etimes,rss,vsz,args", "--ppid", str(master)],
        "slshim status": [SLSHIM, "status", str(master)],
        "slshim status, of the whole host": [SLSHIM, "status"],
    }
    times = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(milliseconds(command))
    print(f"{WORKERS} workers, {rounds} calls each in turn; ratios are geometric means")
    for name, taken in times.items():
        ratios = [mine / ps for mine, ps in zip(taken, times["ps"])]
        print(
            f"{name}: {statistics.median(taken):.1f} ms ({min(taken):.1f} to {max(taken):.1f}),"
            f" {exp(statistics.mean(map(log, ratios))):.2f} of ps ({min(ratios):.2f} to {max(ratios):.2f})"
        )


def share_of_processor(command, seconds):
    with Terminal(command, columns=200, lines=50) as terminal:
        terminal.wait_for(lambda lines: sum(map(bool, lines)) > 40, "it fills the screen")
        process = psutil.Process(terminal.child.pid)
        start, end = process.cpu_times(), time.monotonic() + seconds
        while time.monotonic() < end:
            terminal.read()
        used = process.cpu_times()
    return (used.user + used.system - start.user - start.system) / seconds


def show_tops(master, rounds, seconds):
    commands = {"top": [tool("top"), "-d", "1"], "slshim top": [SLSHIM, "top", str(master)]}
    shares = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            shares[name].append(share_of_processor(command, seconds) * 100)
    for name, share in shares.items():
        print(f"{name}: {statistics.median(share):.2f} % of a processor ({min(share):.2f} to {max(share):.2f})")


def main():
    asked = arguments(__doc__, seconds=20, pairs=20)
    limits = shim(SL_MAX_UNSHARED="64M", SL_LOG="off")
    with LeakyPrefork(limits, workers=WORKERS, preloaded_mb=1, leaked_kb=1) as server:
        assert ab(server.url(), 4 * WORKERS).failed == 0
        show_calls(server.master.pid, asked.pairs)
        show_tops(server.master.pid, max(2, asked.pairs // 5), asked.seconds)


if __name__ == "__main__":
    main()
