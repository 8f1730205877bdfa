#!/usr/bin/env python3
"""What one check costs against the size of the process: slshim's, walks included, in a worker whose
unshared memory grows from nothing to its limit in 10,000 checks; a walk over smaps_rollup and over
smaps at every check; and Apache2::SizeLimit's, as packaged, which reads statm.

A table, and a picture in build/bench/."""

import argparse
import os
import statistics
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("SLSHIM_BUILD", TOP / "build"))
OUTPUT = BUILD / "bench"
CHECKS, BUDGET = 10000, 1

SIZELIMIT = """
use Apache::SizeLimit::Core; use Time::HiRes "time";
my $much = "x" x ($ARGV[0] << 20);
my $start = time;
Apache::SizeLimit::Core->_check_size for 1 .. 1000;
print +(time - $start) * 1e6;
"""

PLOT = """
set terminal svg size 900,600
set output '{output}.svg'
set logscale xy
set xlabel 'size of the process, MB'
set ylabel 'a check, nanoseconds'
set key top left
set grid
plot '{output}' using 1:5 with linespoints title 'smaps at every check', \\
     '{output}' using 1:4 with linespoints title 'smaps\\_rollup at every check', \\
     '{output}' using 1:6 with linespoints title 'Apache2::SizeLimit (statm)', \\
     '{output}' using 1:2 with linespoints lw 2 title 'slshim, walks included', \\
     '{output}' using 1:3 with linespoints dt 2 title 'a bare pread of statm and a getrusage'
"""


def measure(megabytes):
    """Nanoseconds: a check, the bare look, a walk over smaps_rollup, one over smaps."""
    command = [BUILD / "bench" / "check_cost", megabytes, CHECKS, BUDGET]
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, check=True)
    return [float(word) for word in done.stdout.split()]


def sizelimit(megabytes):
    command = ["perl", "-e", SIZELIMIT, str(megabytes)]
    return float(subprocess.run(command, text=True, capture_output=True, check=True).stdout)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pairs", type=int, default=10)
    asked = arguments.parse_args()
    row = "{:>8}{:>12}{:>12}{:>26}{:>12}{:>12}{:>14}"
    print("nanoseconds a check; ratios: median (lowest to highest)")
    print(row.format("MB", "slshim", "bare look", "slshim / bare look", "rollup", "smaps",
                     "SizeLimit"))  # fmt: skip
    lines = []
    for megabytes in (10, 30, 100, 300, 1000, 2000, 4000):
        runs = [measure(megabytes) for _ in range(asked.pairs)]
        ratios = [run[0] / run[1] for run in runs]
        medians = [statistics.median(column) for column in zip(*runs)] + [sizelimit(megabytes)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        figures = [f"{figure:.0f}" for figure in medians]
        print(row.format(megabytes, *figures[:2], spread, *figures[2:]), flush=True)
        lines.append(f"{megabytes} {' '.join(figures)}\n")
    table = OUTPUT / "check_cost.data"
    table.write_text("".join(lines))
    subprocess.run(["gnuplot"], input=PLOT.format(output=table), text=True, check=True)
    print(f"picture: {table}.svg")


if __name__ == "__main__":
    main()
