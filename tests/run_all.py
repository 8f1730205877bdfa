#!/usr/bin/env python3
"""Runs every test there is and adds them up. Called by ./run test, after the build; its last line
is "N passed, N failed"."""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
BUILD = TOP / "build"
SANITIZED = BUILD / "sanitized"
SANITIZERS = "-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
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


def check_sanitized():
    SANITIZED.mkdir(exist_ok=True)
    if not (SANITIZED / "Makefile").exists():
        configure = ["../../configure", "--quiet", f"CFLAGS={SANITIZERS}"]
        run("configure with sanitizers", configure, SANITIZED)
    done = run("unit tests, sanitized", ["make", "-s", "check-units"], SANITIZED)
    return units([done.stdout], done.returncode == 0)


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
        one("formatting and static analysis", ["make", "-s", "lint"]),
        one("the package", ["make", "-s", "distcheck"]),
        one("instruction counts", [str(TOP / "bench" / "instructions.py")]),
        end_to_end(),
    ]
    passed, failed = (sum(column) for column in zip(*parts))
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
