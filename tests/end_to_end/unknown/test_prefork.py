"""A prefork server that nobody knows: recycled in the way that SL_LEAVE names, or by default."""

import os
import re

import pytest

from marks import long_but
from servers import LeakyPrefork, Sampler, ab, get, load_until, load_until_left, shim
from unnamed import expect_clean_end

KB, MB = 1024, 1024 * 1024
TRIAL = "one worker leaves on trial first, to see whether the master replaces it"


def test_unknown_server_needs_no_telling():
    """Its workers leave when they are idle, before the next accept."""
    with LeakyPrefork(shim(SL_MAX_UNSHARED="1M", SL_MAX_LEAVING=2)) as server:
        ab(server.url(), 5000).expect_good()
        left = server.leavings()
        assert len(left) >= 15
        assert {leaving.way for leaving in left} == {"_exit@idle"}
        assert "their exit method is _exit@idle (by default)" in server.log()
        assert server.log().count(TRIAL) == 1
        expect_clean_end(server)


def test_leave_none():
    with LeakyPrefork(shim(SL_MAX_UNSHARED="1M", SL_LEAVE="none")) as server:
        ab(server.url(), 1000).expect_good()
        assert server.leavings() == []
        assert server.log().count("stays") == 1
        assert TRIAL not in server.log()


@pytest.mark.parametrize("way", ["exit:3@close", "exit:3@accept", "_exit:255@idle"])
def test_status(way):
    """Some masters replace only those that end with another one than 0."""
    with LeakyPrefork(shim(SL_MAX_CONNECTIONS=20, SL_LEAVE=way)) as server:
        load_until_left(server, 15)
        left = server.leavings()
        assert {leaving.way for leaving in left} == {way}
        ended = re.findall(r"ended with status (\d+)", server.log())
        assert len(ended) >= len(left) - 1
        assert {int(status) >> 8 for status in ended} == {int(re.search(r"\d+", way)[0])}


WAYS = [
    "QUIT@close", "QUIT@accept", "exit@close", "exit@accept", "_exit@close", "_exit@accept",
    "_exit@idle",
]  # fmt: skip


@pytest.mark.parametrize("way", long_but(["QUIT@close", "exit@accept", "_exit@idle"], WAYS))
def test_way(way):
    limit, growth = 4 * MB, 64 * KB
    environment = shim(SL_MAX_UNSHARED="4M", SL_LEAVE=way, SL_MAX_LEAVING=2)
    with LeakyPrefork(environment, leaked_kb=growth // KB) as server:
        with Sampler(server) as sampler:
            load = ab(server.url(), 20000)
        left = server.leavings()
        print(f"{load.requests} requests, {len(left)} leavings")
        load.expect_good()
        assert len(left) >= 100
        assert {leaving.way for leaving in left} == {way}
        expect_clean_end(server)
        for leaving in left:
            waiting = growth * leaving.served_meanwhile
            assert sampler.highest.get(leaving.pid, 0) <= limit + growth + waiting + MB


def test_signal_without_a_handler_is_never_raised():
    with LeakyPrefork(shim(SL_MAX_CONNECTIONS=5, SL_LEAVE="USR2@close")) as server:
        ab(server.url(), 500).expect_good()
        assert server.leavings() == []
        assert "it has no handler for the signal of its exit method" in server.log()


def test_check_every():
    """Measured at every 10th connection only."""
    environment = shim(SL_MAX_UNSHARED="2M", SL_LEAVE="QUIT@close", SL_CHECK_EVERY=10)
    with LeakyPrefork(environment, workers=2, leaked_kb=150) as server:
        ab(server.url(), 200, clients=1).expect_good()
        left = server.leavings()
        assert left
        assert {leaving.connections - leaving.served_meanwhile for leaving in left} == {20}


def test_only_worker_is_no_trial():
    environment = shim(SL_MAX_CONNECTIONS=5, SL_LEAVE="QUIT@close", SL_REPLACE_TIMEOUT="1s")
    with LeakyPrefork(environment, workers=1) as server:
        load_until(server, lambda: "alone in its pool" in server.log())
        load_until(server, lambda: True)
        assert server.leavings() == []
        assert server.log().count("alone in its pool") == 1


def sizes(pid):
    """What the kernel tells an observer, in KB: the quantities by the limits on them."""
    page = os.sysconf("SC_PAGESIZE") // KB
    with open(f"/proc/{pid}/statm") as file:
        size, resident = (int(pages) * page for pages in file.read().split()[:2])
    with open(f"/proc/{pid}/smaps_rollup") as file:
        rollup = dict(re.findall(r"^(\w+): +(\d+) kB", file.read(), re.MULTILINE))
    return {
        "SL_MAX_SIZE": size,
        "SL_MAX_RSS": resident,
        "SL_MAX_UNSHARED": int(rollup["Private_Clean"]) + int(rollup["Private_Dirty"]),
        "SL_MIN_SHARED": int(rollup["Shared_Clean"]) + int(rollup["Shared_Dirty"]),
    }


@pytest.mark.parametrize("variable", ["SL_MAX_SIZE", "SL_MAX_RSS", "SL_MAX_UNSHARED", "SL_MIN_SHARED"])
def test_limit_fires_beyond_and_not_before(variable):
    """A worker whose memory grows, or is unshared, by 4 MB in 16 requests; the limit is 2 MB away."""
    grows = variable in ("SL_MAX_SIZE", "SL_MAX_RSS")
    options = {"workers": 2, "preloaded_mb": 0 if grows else 64, "leaked_kb": 256}
    with LeakyPrefork(shim(), **options) as server:
        get(server.url())
        start = max(sizes(worker.pid)[variable] for worker in server.workers())
    limit = start + (-2 * KB if variable == "SL_MIN_SHARED" else 2 * KB)
    environment = shim(SL_LEAVE="QUIT@close") | {variable: str(limit)}
    with LeakyPrefork(environment, **options) as server:
        ab(server.url(), 60, clients=1).expect_good()
        left = server.leavings()
        assert left
        for leaving in left:
            value, threshold = leaving.limits[variable]
            assert threshold == limit
            assert 0 < abs(value - threshold) <= 600 + 256 * leaving.served_meanwhile
            assert (value < threshold) == (variable == "SL_MIN_SHARED")
            assert 6 <= leaving.connections - leaving.served_meanwhile <= 12
