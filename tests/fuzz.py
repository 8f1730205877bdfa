#!/usr/bin/env python3
"""Builds the fuzz targets of tests/fuzz/ in build/fuzz and runs them, as many at a time as there are
processors, for some seconds each, from the seeds and what earlier runs found.

    tests/fuzz.py [NAME [SECONDS]]"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
BUILD = TOP / "build" / "fuzz"
SECONDS = 50
INSTRUMENTED = "-g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
# At the end of a run nothing is looked for that is still reachable; a target that takes a second for
# one input has found something, too.
OPTIONS = ["-print_final_stats=1", "-timeout=10", "-max_len=4096", "-rss_limit_mb=1024", "-verbosity=0"]


def targets():
    return sorted(path.stem for path in (TOP / "tests" / "fuzz").glob("*.c"))


def build():
    BUILD.mkdir(exist_ok=True)
    if not (BUILD / "Makefile").exists():
        configure = ["../../configure", "--quiet", "CC=clang", f"CFLAGS={INSTRUMENTED}"]
        subprocess.run(configure, cwd=BUILD, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["make", "-s", "fuzz-targets"], cwd=BUILD, check=True)


def fuzz(name, seconds):
    """Runs one; whether it found nothing, how many inputs it tried, and what it said. What it found
    stays in build/fuzz/found/."""
    corpus, found = BUILD / "corpus" / name, BUILD / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    command = [str(BUILD / "tests" / "fuzz" / name), f"-max_total_time={seconds}", *OPTIONS]
    command += [f"-artifact_prefix={found}/{name}-", str(corpus), str(TOP / "tests/fuzz/seeds" / name)]
    done = subprocess.run(command, text=True, errors="replace", capture_output=True)
    inputs = re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    return done.returncode == 0, int(inputs[1]) if inputs else 0, done.stderr


def fuzz_all(names, seconds):
    """A line for each; how many found nothing, and how many found something."""
    build()
    good = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, result in zip(names, pool.map(lambda name: fuzz(name, seconds), names)):
            is_good, inputs, output = result
            is_good = is_good and inputs > 0
            good += is_good
            print(f"{name}: {inputs} inputs, {'nothing' if is_good else 'something'} found", flush=True)
            if not is_good:
                print(output[-6000:], flush=True)
    return good, len(names) - good


def main():
    names = sys.argv[1:2] or targets()
    if not set(names) <= set(targets()):
        print(f"there are {', '.join(targets())}")
        return 64
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    return fuzz_all(names, seconds)[1] > 0


if __name__ == "__main__":
    sys.exit(main())
