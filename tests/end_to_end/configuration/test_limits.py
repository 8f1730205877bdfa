"""Each limit on the real quantity, in children of httpd with mod_perl whose requests unshare memory,
use processor time and open files: it fires when that is above it, and not below."""

import contextlib
import ctypes
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers import Missing, as_root, grow, growing_httpd, load_until_left, shim, tool

KB, MB = 1024, 1024 * 1024
MUCH = {"SL_MAX_LEAVING": "100%"}


@dataclass
class Case:
    limit: str  # crossed within a few hundred requests
    threshold: float  # as the log has it
    step: float  # that one request adds, at most; and for SL_MAX_PSS a sibling that ends
    never: str


# Of a handler that unshares 64 KB, opens a file and counts to a hundred thousand.
CASES = {
    "SL_MAX_UNSHARED": Case("4M", 4 * KB, 1024, "10G"),
    "SL_MAX_PSS": Case("15M", 15 * KB, 16 * KB, "10G"),
    "SL_MAX_GROWTH": Case("2M", 2 * KB, 1024, "10G"),
    "SL_MAX_CONNECTIONS": Case("30", 30, 1, "100000"),
    "SL_MAX_AGE": Case("2s", 2, 10, "1d"),
    "SL_MAX_CPU": Case("1", 1, 1, "1h"),
    "SL_MAX_FDS": Case("60", 60, 1, "100000"),
}


def open_server(**variables):
    amounts = {"preloaded_mb": 32, "unshared_kb": 64, "work": 100000, "files": 1}
    return growing_httpd(shim(**MUCH | variables), **amounts)


@pytest.mark.parametrize("variable", CASES)
def test_fires_above(variable):
    case = CASES[variable]
    with open_server(**{variable: case.limit}) as server:
        load_until_left(server, 10, grow)
        for leaving in server.leavings():
            assert list(leaving.limits) == [variable], leaving.text
            value, threshold = leaving.limits[variable]
            assert threshold == case.threshold
            assert threshold < value <= threshold + case.step, leaving.text


@pytest.mark.parametrize("variable", CASES)
def test_does_not_fire_below(variable):
    with open_server(**{variable: CASES[variable].never}) as server:
        grow(server, 1000)
        assert server.leavings() == []


def test_all_that_are_crossed_are_named():
    with open_server(SL_MAX_GROWTH="1M", SL_MAX_FDS=70, SL_MAX_CPU=3600, SL_CHECK_EVERY=80) as server:
        load_until_left(server, 10, grow)
        limits = [set(leaving.limits) for leaving in server.leavings()]
        assert {"SL_MAX_GROWTH", "SL_MAX_FDS"} in limits
        assert all("SL_MAX_CPU" not in named for named in limits)


# ---------------------------------------------------------------------- swap

libc = ctypes.CDLL(None, use_errno=True)


class Range(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def swap_out(process):
    """What is this process's alone of its heap."""
    sys_process_madvise, pageout = 440, 21
    for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines():
        if "[heap]" not in line:
            continue
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        descriptor = os.pidfd_open(process.pid)
        part = Range(start, end - start)
        done = libc.syscall(sys_process_madvise, descriptor, ctypes.byref(part), 1, pageout, 0)
        os.close(descriptor)
        assert done >= 0, os.strerror(ctypes.get_errno())


@contextlib.contextmanager
def swap_file():
    if not as_root():
        raise Missing("root, who may swap")
    with tempfile.NamedTemporaryFile(prefix="slshim-swap-", dir="/var/tmp") as file:
        os.posix_fallocate(file.fileno(), 0, 256 * MB)
        os.chmod(file.name, 0o600)
        subprocess.run([tool("mkswap"), file.name], check=True, capture_output=True)
        subprocess.run([tool("swapon"), file.name], check=True)
        try:
            yield
        finally:
            subprocess.run([tool("swapoff"), file.name], check=True)


def grow_swapped_out(server):
    grow(server)
    for worker in server.workers():
        swap_out(worker)
    return grow(server)


def test_fires_above_what_is_swapped_out():
    with swap_file(), open_server(SL_MAX_SWAP="1M") as server:
        load_until_left(server, 1, grow_swapped_out)
        for leaving in server.leavings():
            value, threshold = leaving.limits["SL_MAX_SWAP"]
            assert threshold == 1 * KB < value


def test_does_not_fire_below_what_is_swapped_out():
    with swap_file(), open_server(SL_MAX_SWAP="10G") as server:
        grow_swapped_out(server)
        assert server.leavings() == []
