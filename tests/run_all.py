#!/usr/bin/env python3
"""Runs every test there is and adds them up. Called by ./run test, after the build; its last line
is "N passed, N failed"."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

import fuzz

TOP = Path(__file__).resolve().parents[1]
BUILD = TOP / "build"
SANITIZERS = "-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
THREAD_SANITIZER = "-g -O1 -fsanitize=thread"
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


def units(texts, good):
    """The sum of what Check printed; a program that did not get to its summary is a failure."""
    passed = failed = 0
    for text in texts:
        for checks, failures, errors in re.findall(CHECK_SUMMARY, text):
            failed += int(failures) + int(errors)
            passed += int(checks) - int(failures) - int(errors)
    if passed == 0 or (not good and failed == 0):
        failed += 1
    return passed, failed


def check():
    done = run("unit tests", ["make", "-s", "check"])
    logs = [log.read_text() for log in (BUILD / "tests").glob("check_*.log")]
    passed, failed = units(logs, done.returncode == 0)
    exports = "PASS tests/check_exports.sh" in (BUILD / "tests" / "check_exports.sh.log").read_text()
    return passed + exports, failed + (not exports)


def missing(program):
    """Is it? In CI, and under SLSHIM_NOTHING_SKIPPED, nothing may be: what needs it fails."""
    if shutil.which(program) or "CI" in os.environ or "SLSHIM_NOTHING_SKIPPED" in os.environ:
        return False
    print(f"\n== skipped: {program} is not installed", flush=True)
    return True


def check_units(build, *configuration, make=(), under=()):
    """The unit tests in a build of their own, without the library: sanitizers and preloading do not
    go together."""
    directory = BUILD / build
    directory.mkdir(exist_ok=True)
    if not (directory / "Makefile").exists():
        run(f"configure in {build}", ["../../configure", "--quiet", *configuration], directory)
    done = run(f"unit tests in {build}", [*under, "make", "-s", "check-units", *make], directory)
    return units([done.stdout], done.returncode == 0)


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
    return check_units("clang", "CC=clang", "--enable-werror")


def fuzz_targets():
    if missing("clang"):
        return 0, 0
    print(f"\n== fuzz targets, {fuzz.SECONDS} s each", flush=True)
    try:
        return fuzz.fuzz_all(fuzz.targets(), fuzz.SECONDS)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{error}\n{getattr(error, 'stderr', '')}", flush=True)
        return 0, 1


def end_to_end():
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=10"]
        print(f"\n== end-to-end tests: {' '.join(command)}", flush=True)
        subprocess.run(command + [f"--junitxml={report.name}", "tests/end_to_end"], cwd=TOP)
        try:
            suite = xml.parse(report.name).getroot().find("testsuite").attrib
        except (xml.ParseError, AttributeError):
            return 0, 1
    failed = int(suite["failures"]) + int(suite["errors"])
    return int(suite["tests"]) - failed - int(suite["skipped"]), failed


def main():
    os.environ.setdefault("MAKEFLAGS", f"-j{os.cpu_count()}")
    parts = [
        check(),
        check_sanitized(),
        check_thread_sanitized(),
        check_clang(),
        one("formatting and static analysis", ["make", "-s", "lint"]),
        one("the package", ["make", "-s", "distcheck"]),
        one("instruction counts", [str(TOP / "bench" / "instructions.py")]),
        fuzz_targets(),
        end_to_end(),
    ]
    passed, failed = (sum(column) for column in zip(*parts))
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
