#!/usr/bin/env python3
"""What one check costs against the size of the process: slshim's, walks included, in a worker whose
unshared memory grows from nothing to its limit in 10,000 checks; a walk over smaps_rollup and over
smaps at every check; and Apache2::SizeLimit's, as packaged, which reads statm.

A table, and a picture in build/bench/."""

import statistics
import subprocess

from pairs import BUILD, OUTPUT, arguments, ratio

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
set output '{name}.svg'
set logscale xy
set xlabel 'size of the process, MB'
set ylabel 'a check, nanoseconds'
set key top left
set grid
plot '{name}.data' using 1:5 with linespoints title 'smaps at every check', \\
     '{name}.data' using 1:4 with linespoints title 'smaps\\_rollup at every check', \\
     '{name}.data' using 1:6 with linespoints title 'Apache2::SizeLimit (statm)', \\
     '{name}.data' using 1:2 with linespoints lw 2 title 'slshim, walks included', \\
     '{name}.data' using 1:3 with linespoints dt 2 title 'a bare pread of statm and a getrusage'
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
    asked = arguments(__doc__)
    row = "{:>8}{:>12}{:>12}{:>26}{:>12}{:>12}{:>14}"
    print(f"nanoseconds a check, medians of {asked.pairs}; ratios with their 95 % intervals")
    print(row.format("MB", "slshim", "bare look", "slshim / bare look", "rollup", "smaps",
                     "SizeLimit"))  # fmt: skip
    lines = []
    for megabytes in (10, 30, 100, 300, 1000, 2000, 4000):
        runs = [measure(megabytes) for _ in range(asked.pairs)]
        medians = [statistics.median(column) for column in zip(*runs)] + [sizelimit(megabytes)]
        mean, low, high = ratio([run[0] for run in runs], [run[1] for run in runs])
        spread = f"{mean:.2f} ({low:.2f} to {high:.2f})"
        figures = [f"{figure:.0f}" for figure in medians]
        print(row.format(megabytes, *figures[:2], spread, *figures[2:]), flush=True)
        lines.append(f"{megabytes} {' '.join(figures)}\n")
    name = OUTPUT / "check_cost"
    name.with_suffix(".data").write_text("".join(lines))
    subprocess.run(["gnuplot"], input=PLOT.format(name=name), text=True, check=True)
    print(f"picture: {name}.svg")


if __name__ == "__main__":
    main()
