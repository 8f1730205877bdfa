"""When a crossed limit counts: after how many measurements, at which age, under which pressure; whose
limits are shares of the memory that there is; and pages that are kept shareable."""

import contextlib
import math
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from servers import (
    Asking, LeakyPrefork, Missing, ab, as_root, ask, get, grow, growing_httpd, load_until_left,
    shim, wait_until
)  # fmt: skip

KB, MB = 1024, 1024 * 1024
MEMORY_CGROUPS = Path("/sys/fs/cgroup/memory")


def open_server(**variables):
    environment = shim(**{"SL_MAX_LEAVING": "100%"} | variables)
    return growing_httpd(environment, preloaded_mb=8, unshared_kb=64, files=1)


def recycled(**variables):
    """Who has left, once ten have."""
    with open_server(**variables) as server:
        load_until_left(server, 10, grow)
        return server.leavings()


def test_strikes():
    """Each request opens a file: the fifth measurement in a row is five above the limit. ab opens a few
    connections at its end that it does not use; a worker that got some of them has a file less for
    each."""
    limits = [leaving.limits["SL_MAX_FDS"] for leaving in recycled(SL_MAX_FDS=60, SL_STRIKES=5)]
    assert {threshold for _, threshold in limits} == {60}
    values = [value for value, _ in limits]
    assert all(61 <= value <= 65 for value in values)
    assert statistics.mode(values) == 65


def test_strikes_have_to_be_in_a_row():
    """Every request takes 4 MB and gives them back: none is above the limit between connections."""
    environment = shim(SL_MAX_UNSHARED="6M", SL_STRIKES=3)
    with growing_httpd(environment, preloaded_mb=8, unshared_kb=0, transient_kb=4096) as server:
        grow(server, 1000)
        assert server.leavings() == []


def test_min_age():
    for leaving in recycled(SL_MAX_CONNECTIONS=1, SL_MIN_AGE="2s"):
        assert float(re.search(r"age ([\d.]+) s", leaving.text)[1]) >= 2
        assert leaving.connections > 2


def test_jitter():
    """Each worker has limits of its own, never laxer than what is set; one draw for all of them."""
    both = {"SL_MAX_CONNECTIONS": 100, "SL_MAX_FDS": 1000}
    thresholds = {
        leaving.limits["SL_MAX_CONNECTIONS"][1] for leaving in recycled(SL_JITTER="50%", **both)
    }
    assert len(thresholds) >= 5
    assert all(50 <= threshold <= 100 for threshold in thresholds)


def test_jitter_with_strikes():
    for leaving in recycled(SL_MAX_FDS=100, SL_JITTER="50%", SL_STRIKES=3):
        value, threshold = leaving.limits["SL_MAX_FDS"]
        assert threshold + 2 <= value <= threshold + 3
        assert 50 <= threshold <= 100


# ------------------------------------------------------------------ the machine


@contextlib.contextmanager
def memory_cgroup(limit):
    """A real one, below that of this process; its directory."""
    own = re.search(r"^\d+:memory:(.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
    if own is None or not as_root():
        raise Missing("a memory cgroup of version 1, and root to make one below it")
    directory = Path(tempfile.mkdtemp(prefix="slshim-", dir=f"{MEMORY_CGROUPS}{own[1]}"))
    try:
        (directory / "memory.limit_in_bytes").write_text(str(limit))
        yield directory
    finally:
        wait_until(lambda: not (directory / "cgroup.procs").read_text(), "the cgroup is empty")
        directory.rmdir()


class Confined(LeakyPrefork):
    """Started in a cgroup."""

    def __init__(self, environment, cgroup):
        super().__init__(environment, preloaded_mb=4)
        self.cgroup = cgroup

    def start(self):
        script = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
        self.command = ["sh", "-c", script, str(self.cgroup), *self.command]
        super().start()


def test_share_of_a_cgroup():
    environment = shim(SL_MAX_RSS="5%", SL_LEAVE="QUIT@close")
    with memory_cgroup(512 * MB) as cgroup:
        with Confined(environment, cgroup) as server:
            get(server.url())
            log = server.log()
            server.stop()
    assert f"SL_MAX_RSS={math.ceil(512 * MB // 100 * 5 / KB)} KB (5%)" in log
    assert f"the server may use {512 * KB} KB of memory (/sys/fs/cgroup/memory" in log


def test_share_of_the_host():
    with LeakyPrefork(shim(SL_MAX_UNSHARED="100%"), preloaded_mb=4) as server:
        get(server.url())
        found = re.search(r"SL_MAX_UNSHARED=(\d+) KB \(100%\).*server may use (\d+) KB", server.log())
        server.stop()
    assert abs(int(found[1]) - int(found[2])) <= 100


THRASH = """
import mmap, sys
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
    while True:
        sum(memory[i] for i in range(0, len(memory), 4096))
"""


@contextlib.contextmanager
def pressure():
    """Real: a process that needs more memory than its cgroup allows it."""
    with memory_cgroup(32 * MB) as cgroup, tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        os.posix_fallocate(file.fileno(), 0, 128 * MB)
        command = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(cgroup)]
        process = subprocess.Popen([*command, sys.executable, "-c", THRASH, file.name])
        try:
            wait_until(lambda: some_avg10() > 3, "there is pressure", 60)
            yield
        finally:
            process.kill()
            process.wait()


def some_avg10():
    try:
        text = Path("/proc/pressure/memory").read_text()
    except OSError as error:
        raise Missing("a kernel that tells the pressure") from error
    return float(re.search(r"some avg10=([\d.]+)", text)[1])


def test_pressure():
    """Limits apply while there is some."""
    with open_server(SL_MAX_CONNECTIONS=10, SL_PRESSURE="1%") as server:
        wait_until(lambda: some_avg10() < 1, "there is no pressure", 120)
        grow(server, 1000)
        assert server.leavings() == []
        with pressure():
            load_until_left(server, 1, grow)


def connect(server, requests=100):
    return ab(server.url(), requests, clients=4).expect_good()


def is_filled(server, gone):
    pids = [worker.pid for worker in server.workers()]
    return len(pids) == 4 and gone not in pids


def test_pressure_that_ends_while_workers_wait_for_their_turn():
    """They stay. The turn is another's until the master, which is stopped meanwhile, goes on."""
    variables = {"SL_MAX_CONNECTIONS": 10, "SL_PRESSURE": "1%", "SL_MAX_LEAVING": 1}
    with Asking(shim(**variables, SL_REPLACE_TIMEOUT="100s"), workers=4) as server:
        wait_until(lambda: some_avg10() < 1, "there is no pressure", 120)
        server.master.send_signal(signal.SIGSTOP)
        first, _ = ask(server, "/recycle")
        load_until_left(server, 1, connect)
        with pressure():
            connect(server)
        wait_until(lambda: some_avg10() < 1, "there is no pressure", 120)
        connect(server)
        server.master.send_signal(signal.SIGCONT)
        wait_until(lambda: is_filled(server, first), "its place is filled")
        connect(server, 400)
        assert len(server.leavings()) == 1
        with pressure():
            load_until_left(server, 2, connect)


# ------------------------------------------------------------- shareable pages


def of_worker(file, **variables):
    environment = shim(SL_MAX_UNSHARED="1G", SL_LEAVE="QUIT@close", **variables)
    with LeakyPrefork(environment, preloaded_mb=4) as server:
        text = Path(f"/proc/{server.workers()[0].pid}/{file}").read_text()
        log = server.log()
        server.stop()
    return text, log


@pytest.mark.parametrize("asked", [{}, {"SL_THP": "never"}], ids=["unset", "never"])
def test_transparent_huge_pages(asked):
    text, log = of_worker("status", **asked)
    assert f"THP_enabled:\t{0 if asked else 1}" in text
    assert ("SL_THP=never" in log) == bool(asked)
    assert "has no effect" not in log


@pytest.mark.parametrize("asked", [{}, {"SL_KSM": 1}], ids=["unset", "1"])
def test_merging_of_equal_pages(asked):
    if not Path("/proc/self/ksm_stat").exists():
        raise Missing("a kernel that merges equal pages of a whole process")
    text, log = of_worker("ksm_stat", **asked)
    assert f"ksm_merge_any: {'yes' if asked else 'no'}" in text
    assert ("SL_KSM=1" in log) == bool(asked)
    assert "has no effect" not in log
