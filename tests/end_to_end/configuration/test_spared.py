"""Who is over a limit and need not leave for it: one that would be replaced by another as large, and
one that can give memory back. And who leaves first of several."""

import itertools
import re
import signal

import pytest

from servers import (
    Asking, LeakyPrefork, ab, ask, get, leavings, load_until, load_until_left, rounds_of, shim,
    wait_until
)  # fmt: skip
from test_application import Gunicorn

KB, MB = 1024, 1024 * 1024
WAY = {"SL_LEAVE": "QUIT@close"}


def load(server, requests=400, clients=8):
    return ab(server.url(), requests, clients).expect_good()


# ------------------------------------------------------------- the loop breaker


def spared(server, words):
    """(variable, value, limit, what would work) of the one line that says so."""
    lines = [line for line in server.log().splitlines() if words in line]
    assert len(lines) == 1, server.log()
    works = r"over (SL_\w+): (\d+) KB [<>] (\d+) KB; try \1=(\d+)K"
    found = re.search(works, lines[0])
    return found[1], *map(int, found.groups()[1:])


@pytest.mark.parametrize(
    "variable, value", [("SL_MAX_RSS", "1M"), ("SL_MAX_SIZE", "1M"), ("SL_MIN_SHARED", "1G")]
)
def test_newborn(variable, value):
    """Nobody leaves for what a fresh worker has; and what the line names works: who grows beyond that
    does leave."""
    with LeakyPrefork(shim(**WAY, **{variable: value}), preloaded_mb=4) as server:
        load(server)
        assert server.leavings() == []
        named, had, limit, works = spared(server, "before it served anything")
        assert named == variable
        assert had < works if variable != "SL_MIN_SHARED" else works < had
    with LeakyPrefork(shim(**WAY, **{variable: f"{works}K"}), preloaded_mb=4) as server:
        load_until_left(server, 1, load)
        assert "stays" not in server.log()
        assert all(leaving.connections > 5 for leaving in server.leavings())


def test_newborn_has_other_limits():
    environment = shim(SL_MAX_RSS="1M", SL_MAX_CONNECTIONS=20, **WAY)
    with LeakyPrefork(environment, preloaded_mb=4) as server:
        load_until_left(server, 10, load)
        limits = {tuple(leaving.limits) for leaving in server.leavings()}
        assert limits == {("SL_MAX_CONNECTIONS",)}


def test_newborn_over_what_jitter_left():
    """It has the limit that is set, then."""
    with LeakyPrefork(shim(SL_MAX_RSS="1M", **WAY), preloaded_mb=4) as server:
        load(server)
        _, had, _, _ = spared(server, "before it served anything")
    limit = had + 512
    environment = shim(SL_MAX_RSS=limit, SL_JITTER="50%", **WAY)
    with LeakyPrefork(environment, preloaded_mb=4) as server:
        load_until_left(server, 4, load)
        assert "stays" not in server.log()


def test_replacements_that_are_soon_as_large():
    """Eight leave in a row for their first request; then it is enough."""
    environment = shim(SL_MAX_UNSHARED="3M", **WAY)
    with LeakyPrefork(environment, leaked_kb=4096) as server:
        words = "within its first connections"
        load_until(server, lambda: words in server.log(), rounds_of(40))
        variable, had, limit, works = spared(server, words)
        assert variable == "SL_MAX_UNSHARED"
        assert limit == 3 * KB < had < works
        settled = len(server.leavings())
        assert settled == 8
        load(server)
        assert len(server.leavings()) == settled


# ------------------------------------------------------------------------- trim


class Trimmed(Gunicorn):
    """/garbage frees 30 MB below one block that it keeps, which the C library then keeps, too."""

    APPLICATION = """
import os

kept = []

def application(environ, start_response):
    if environ["PATH_INFO"] == "/garbage":
        blocks = [bytearray(1000) for _ in range(30000)]
        kept.append(blocks[-1])
    if environ["PATH_INFO"] == "/leak":
        kept.append(bytearray(b"x" * (30 << 20)))
    body = f"{os.getpid():9}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""


TRIM = {"SL_TRIM": 1, "SL_MAX_LEAVING": "100%"}


@pytest.mark.parametrize("variable, limit", [("SL_MAX_GROWTH", "10M"), ("SL_MAX_UNSHARED", "25M")])
def test_trim(variable, limit):
    """Who can give back enough stays, with less; who cannot leaves."""
    with Trimmed(shim(**TRIM, **{variable: limit})) as server:
        get(server.url("/"))
        pid = int(get(server.url("/garbage")))
        wait_until(lambda: get(server.url("/")) and "(SL_TRIM)" in server.log(), "it is trimmed")
        given = re.search(r"gave back (\d+) KB \(SL_TRIM\) and stays; ", server.log())
        assert int(given[1]) > 25 * KB
        worker = next(worker for worker in server.workers() if worker.pid == pid)
        assert worker.memory_full_info().uss < 25 * MB
        load(server, 200, 2)
        assert server.leavings() == []
        pid = int(get(server.url("/leak")))
        wait_until(lambda: get(server.url("/")) and server.leavings(), "it left")
        assert [leaving.pid for leaving in server.leavings()] == [pid]
        load(server, 200, 2)
        assert len(server.leavings()) == 1


def test_without_trim_they_leave():
    with Trimmed(shim(SL_MAX_GROWTH="10M")) as server:
        get(server.url("/garbage"))
        wait_until(lambda: get(server.url("/")) and server.leavings(), "it left")


# ---------------------------------------------------------------- who goes first


def set_limits(server, workers):
    """Each worker's own, all of them crossed: {pid: limit in MB}."""
    limits, fresh = {}, itertools.cycle(range(1, workers + 1))
    while len(limits) < workers or len(set(limits.values())) < workers:
        limit = next(fresh)
        pid, result = ask(server, f"/limit/SL_MAX_SIZE/{limit * 100}K")
        assert result == 0
        limits[pid] = limit
    return limits


def test_fattest_first():
    """While the master is stopped, all who are over their limits wait for the one that left."""
    environment = shim(SL_APPLICATION=1, SL_MAX_LEAVING=1, SL_REPLACE_TIMEOUT="60s")
    with Asking(environment, workers=4) as server:
        server.master.send_signal(signal.SIGSTOP)
        first, _ = ask(server, "/recycle")
        wait_until(lambda: get(server.url("/")) and server.leavings(), "the first left")
        limits = set_limits(server, 3)
        load(server, 100, 1)
        assert [leaving.pid for leaving in server.leavings()] == [first]
        server.master.send_signal(signal.SIGCONT)
        load_until_left(server, 4, rounds_of(20))
        left = [leaving.pid for leaving in server.leavings()][1:]
        assert left == sorted(limits, key=limits.get)


# ---------------------------------------------------------------------- dry run


def test_summary_of_a_dry_run():
    """Once a minute: how many lives would have ended, and how long they were."""
    environment = shim(SL_DRY_RUN=1, SL_MAX_CONNECTIONS=10, SL_MAX_LEAVING="100%")
    with LeakyPrefork(environment, preloaded_mb=4, leaked_kb=0) as server:
        words = "workers of this server would have left"
        load_until(server, lambda: words in server.log(), rounds_of(100))
        line = next(line for line in server.log().splitlines() if words in line)
        before = server.log()[: server.log().index(line)]
        span, lives, connections, seconds = re.search(
            r"last ([\d.]+) s, (\d+) workers .*, after (\d+) connections and ([\d.]+) s on av", line
        ).groups()
        lives_before = leavings(before)
        assert int(lives) == len(lives_before) == len(server.workers())
        assert 60 <= float(span) < 70
        assert int(connections) == sum(leaving.connections for leaving in lives_before) // int(lives)
        assert 0 < float(seconds) < 60
