#!/usr/bin/env python3
"""Runs the tests and adds them up: all but those that take long and say little more, or with --long
those, too. Called by ./run test, after the build; its last line is "N passed, N failed"."""

import argparse
import collections
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from pathlib import Path

import fuzz

TOP = Path(__file__).resolve().parents[1]
BUILD = TOP / "build"
SANITIZERS = "-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
THREAD_SANITIZER = "-g -O1 -fsanitize=thread"
LONG_FUZZING, SHORT_FUZZING = 50, 10  # seconds for each target
# What these measure is the process, in which ThreadSanitizer has memory and a thread of its own.
MEASURE_THEMSELVES = {
    "check_chroot", "check_idle", "check_leave", "check_meter", "check_probe", "check_process"
}  # fmt: skip
CHECK_SUMMARY = r"Checks: (\d+), Failures: (\d+), Errors: (\d+)"


def run(title, command, directory=BUILD):
    print(f"\n== {title}: {' '.join(command)}", flush=True)
    done = subprocess.run(command, cwd=directory, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = "\n".join(done.stdout.splitlines()[-40:]) if done.returncode else ""
    if output:
        print(output, flush=True)
    return done


def one(title, command, directory=BUILD):
    """A command that is one test."""
    good = run(title, command, directory).returncode == 0
    return int(good), int(not good)


def unit_tests(title, command, directory):
    """The sum of what Check printed; a program that did not get to its summary is a failure."""
    for log in (directory / "tests").glob("check_*.log"):
        log.unlink()
    good = run(title, command, directory).returncode == 0
    passed = failed = 0
    for log in (directory / "tests").glob("check_*.log"):
        text = log.read_text()
        for checks, failures, errors in re.findall(CHECK_SUMMARY, text):
            failed += int(failures) + int(errors)
            passed += int(checks) - int(failures) - int(errors)
        for failure in re.findall(r"^.*:[FE]:.*$", text, re.MULTILINE):
            print(failure, flush=True)
    if passed == 0 or (not good and failed == 0):
        failed += 1
    return passed, failed


def check():
    passed, failed = unit_tests("unit tests", ["make", "-s", "check"], BUILD)
    exports = "PASS tests/check_exports.sh" in (BUILD / "tests" / "check_exports.sh.log").read_text()
    return passed + exports, failed + (not exports)


def missing(program):
    """Is it? In CI, and under SLSHIM_NOTHING_SKIPPED, nothing may be: what needs it fails."""
    if shutil.which(program) or "CI" in os.environ or "SLSHIM_NOTHING_SKIPPED" in os.environ:
        return False
    print(f"\n== skipped: {program} is not installed", flush=True)
    return True


def configured(build, *configuration):
    """The folder of another build, configured once."""
    directory = BUILD / build
    directory.mkdir(exist_ok=True)
    if not (directory / "Makefile").exists():
        run(f"configure in {build}", ["../../configure", "--quiet", *configuration], directory)
    return directory


def check_units(build, *configuration, make=(), under=()):
    """The unit tests in a build of their own, without the library: sanitizers and preloading do not
    go together."""
    directory = configured(build, *configuration)
    return unit_tests(f"unit tests in {build}", [*under, "make", "-s", "check-units", *make], directory)


def check_sanitized():
    return check_units("sanitized", f"CFLAGS={SANITIZERS}")


def check_thread_sanitized():
    """Without randomised addresses, among which ThreadSanitizer may not find room for its own."""
    programs = sorted(path.stem for path in (TOP / "tests").glob("check_*.c"))
    programs = " ".join(f"tests/{name}" for name in programs if name not in MEASURE_THEMSELVES)
    return check_units(
        "thread-sanitized",
        f"CFLAGS={THREAD_SANITIZER}",
        make=[f"check_units={programs}"],
        under=["setarch", "-R"],
    )


def check_clang():
    """A warning of clang is a failure here, as one of gcc is in the build."""
    if missing("clang"):
        return 0, 0
    directory = configured("clang", "CC=clang", "CFLAGS=-O0", "--enable-werror")
    return one("everything by clang", ["make", "-s", "all", "check", "TESTS="], directory)


def fuzz_targets(seconds):
    if missing("clang"):
        return 0, 0
    print(f"\n== fuzz targets, {seconds} s each", flush=True)
    try:
        return fuzz.fuzz_all(fuzz.targets(), seconds)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{error}\n{getattr(error, 'stderr', '')}", flush=True)
        return 0, 1


def several_at_a_time():
    """The options for running end-to-end tests side by side. Each of these runs has namespaces of its
    own, which takes root, because some tests look at all servers of the machine. They mostly compute,
    so more of them than there are processors would take as long, and disturb each other. The tests of
    a file stay together, because they share what takes long to make."""
    tools = (shutil.which("unshare"), shutil.which("tini"), importlib.util.find_spec("xdist"))
    if os.getuid() != 0 or not all(tools):
        return []
    python = f"{TOP / 'tests' / 'apart.sh'} {sys.executable}"
    return ["--dist=loadfile", "--tx", f"{os.cpu_count()}*popen//python={python}"]


def slowest_files(suite, count=15):
    """How long the tests of each file took together, the longest first."""
    seconds = collections.Counter()
    for case in suite.iter("testcase"):
        seconds[case.attrib["classname"].rpartition(".")[2]] += float(case.attrib["time"])
    return ", ".join(f"{name} {time:.0f} s" for name, time in seconds.most_common(count))


def end_to_end(marked, *options):
    """Those that are so marked."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=0"]
        command += ["--durations-min=10"]
        command += ["-m", marked, *options, "tests/end_to_end"]
        print(f"\n== end-to-end tests: {shlex.join(command)}", flush=True)
        subprocess.run([*command, f"--junitxml={report.name}"], cwd=TOP)
        try:
            suite = xml.parse(report.name).getroot().find("testsuite")
            counts = suite.attrib
        except (xml.ParseError, AttributeError):
            return 0, 1
    print(f"most time in: {slowest_files(suite)}", flush=True)
    failed = int(counts["failures"]) + int(counts["errors"])
    return int(counts["tests"]) - failed - int(counts["skipped"]), failed


def parts(is_long):
    """What there is to run, each with its passed and failed tests as the result."""
    chosen = "" if is_long else " and not long"
    yield check
    yield check_sanitized
    yield check_thread_sanitized
    yield check_clang
    yield lambda: one("formatting and static analysis", ["make", "-s", "lint"])
    yield lambda: one("the package", ["make", "-s", "distcheck"])
    yield lambda: one("instruction counts", [str(TOP / "bench" / "instructions.py")])
    yield lambda: fuzz_targets(LONG_FUZZING if is_long else SHORT_FUZZING)
    yield lambda: end_to_end(f"not alone{chosen}", *several_at_a_time())
    yield lambda: end_to_end(f"alone{chosen}")


def main():
    options = argparse.ArgumentParser(usage="./run test [--long]")
    options.add_argument("--long", action="store_true")
    passed = failed = 0
    options = options.parse_args()
    for part in parts(options.long):
        begin = time.monotonic()
        more_passed, more_failed = part()
        print(f"-- {more_passed} good, {more_failed} bad, {time.monotonic() - begin:.0f} s", flush=True)
        passed += more_passed
        failed += more_failed
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
