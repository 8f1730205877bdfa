"""Libraries that others preload go together with this one, in both orders: allocators, eatmydata,
stdbuf; and faketime, whose clock is not the one that workers live by."""

from pathlib import Path

import pytest

from servers import (
    LIBRARY, HandWritten, Httpd, LeakyPrefork, Missing, ab, load_until, load_until_left,
    rounds_of, shim, wrk
)  # fmt: skip
from unnamed import PACE, expect_clean_end

NEIGHBOURS = {
    "jemalloc": ("libjemalloc.so.2", {}),
    "tcmalloc": ("libtcmalloc.so.4", {}),
    "eatmydata": ("libeatmydata.so", {}),
    "stdbuf": ("libstdbuf.so", {"_STDBUF_O": "L", "_STDBUF_E": "0"}),
}
ORDERS = ["ours first", "ours last"]

both_orders = pytest.mark.parametrize("order", ORDERS)
each_neighbour = pytest.mark.parametrize("neighbour", NEIGHBOURS)


def find(name):
    places = ["/usr/lib", "/usr/lib64", "/usr/libexec/coreutils"]
    for pattern in (f"{name}*", f"*/{name}*", f"*/faketime/{name}*"):
        for place in places:
            for found in sorted(Path(place).glob(pattern)):
                return str(found)
    raise Missing(f"{name} is not installed")


def together(library, order, **variables):
    both = [str(LIBRARY), find(library)]
    if order == "ours last":
        both.reverse()
    return shim(**variables) | {"LD_PRELOAD": ":".join(both)}


def maps_both(server, library):
    maps = Path(f"/proc/{server.master.pid}/maps").read_text()
    return str(LIBRARY) in maps and Path(find(library)).resolve().name in maps


@both_orders
@each_neighbour
@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
def test_workers_leave(neighbour, order, wait):
    library, more = NEIGHBOURS[neighbour]
    environment = together(library, order, SL_MAX_CONNECTIONS=20, **PACE, **more)
    with HandWritten(environment, wait) as server:
        assert maps_both(server, library)
        ab(server.url(), 2000).expect_good()
        load_until_left(server, 15)
        expect_clean_end(server)


@both_orders
@each_neighbour
def test_grown_workers_leave(neighbour, order):
    """Those whose memory comes from the neighbour, of a limit on it."""
    library, more = NEIGHBOURS[neighbour]
    environment = together(library, order, SL_MAX_UNSHARED="8M", SL_TRIM=1, **PACE, **more)
    with LeakyPrefork(environment, leaked_kb=256) as server:
        assert maps_both(server, library)
        load_until_left(server, 1, rounds_of(500))
        assert all("SL_MAX_UNSHARED" in leaving.limits for leaving in server.leavings())
        assert "ended with status" not in server.log()
        assert server.stop() == 0


@both_orders
@each_neighbour
def test_httpd(neighbour, order):
    library, more = NEIGHBOURS[neighbour]
    environment = together(library, order, SL_MAX_CONNECTIONS=50, SL_MAX_LEAVING=4, **more)
    with Httpd(environment, workers_at_start=8) as server:
        assert maps_both(server, library)
        load_until_left(server, 5, rounds_of(1000))
        assert server.complaints() == set()
        assert server.stop() == 0


# Before 1970; a clock that stands; one that runs a thousand times too fast.
CLOCKS = {"60 years ago": "-60y", "frozen": "2000-01-01 00:00:00", "fast": "+0 x1000"}


@both_orders
@pytest.mark.parametrize("clock", CLOCKS)
def test_time_is_the_kernels(clock, order):
    """Eight workers that may each get a second old leave some eight times a second."""
    variables = {"SL_MAX_AGE": "1s", "SL_MAX_LEAVING": 8, "SL_REPLACE_TIMEOUT": "1s"}
    variables["FAKETIME"] = CLOCKS[clock]
    environment = together("libfaketime.so.1", order, **variables)
    with HandWritten(environment) as server:
        assert maps_both(server, "libfaketime.so.1")
        load = wrk(server.url(), seconds=4, keep_alive=False).expect_good()
        left = server.leavings()
        print(f"{load.requests} connections, {len(left)} leavings")
        assert 8 <= len(left) <= 40
        expect_clean_end(server)


@both_orders
@pytest.mark.parametrize("clock", CLOCKS)
def test_lease_lasts_as_long_as_the_kernel_says(clock, order):
    """A master that never replaces loses one on trial, and no other by a clock that runs away."""
    variables = {"SL_MAX_CONNECTIONS": 1, "SL_MAX_LEAVING": 4, "SL_REPLACE_TIMEOUT": "1s"}
    environment = together("libfaketime.so.1", order, **variables, FAKETIME=CLOCKS[clock])
    reason = "no new worker came to accept"
    with HandWritten(environment, oddity="never_replaces") as server:
        load_until(server, lambda: reason in server.log())
        assert len(server.leavings()) == 1
        assert server.stop() == 0
