"""What is measured at every connection, in children of httpd with mod_perl: memory that comes and
goes is no growth, and does not hide what stays. And in a hand-written server: memory that is given
back by MADV_FREE, which the kernel has not taken yet."""

import pytest

from marks import long_but
from servers import HandWritten, Sampler, ab, grow, growing_httpd, load_until_left, rounds_of, shim

KB, MB = 1024, 1024 * 1024
LIMIT = shim(SL_MAX_UNSHARED="16M", SL_MAX_LEAVING="100%")


def test_transient_memory_is_no_growth():
    """Each request takes and frees 4 MB, a thousand faults: the bounds cross the limit again and
    again, and each time a walk tells that it is not crossed."""
    with growing_httpd(LIMIT, preloaded_mb=32, unshared_kb=0, transient_kb=4096) as server:
        with Sampler(server) as sampler:
            grow(server, 2000)
        assert server.leavings() == []
        assert max(sampler.highest.values()) < 16 * MB


def test_growth_is_seen_beside_transient_memory():
    """64 KB of each request stay. A child over its limit is found by the next walk that the budget
    allows."""
    with growing_httpd(LIMIT, preloaded_mb=32, unshared_kb=64, transient_kb=4096) as server:
        load_until_left(server, 15, rounds_of(500, 4, "/grow"))
        for leaving in server.leavings():
            value, limit = leaving.limits["SL_MAX_UNSHARED"]
            assert limit == 16 * KB < value


WAYS = [
    *[("SL_MAX_UNSHARED", "rollup"), ("SL_MAX_PSS", "rollup"), ("SL_MAX_GROWTH", "rollup")],
    ("SL_MAX_UNSHARED", "smaps"),
]


def freeing_lazily(service, limit, probe):
    """A server whose workers free 16 MB lazily at each connection."""
    variables = {limit: "4M", "SL_PROBE": probe}
    return HandWritten(shim(SL_MAX_LEAVING="100%", **variables), service=service)


@pytest.mark.parametrize("way", long_but([WAYS[0], WAYS[-1]], WAYS), ids=" by ".join)
def test_lazily_freed_memory_is_not_the_workers(way):
    with freeing_lazily("frees_lazily", *way) as server:
        ab(server.url(), 400).expect_good()
        assert server.leavings() == []


@pytest.mark.parametrize(("limit", "probe"), WAYS)
def test_lazily_freed_memory_that_is_used_again_is_seen(limit, probe):
    """At each tenth connection, which uses it, although no fault tells of it."""
    with freeing_lazily("takes_back", limit, probe) as server:
        load_until_left(server, 8, rounds_of(100))
        for leaving in server.leavings():
            value, most = leaving.limits[limit]
            assert most == 4 * KB < 7 * KB <= value < 10 * KB
            assert (leaving.connections - leaving.served_meanwhile) % 10 == 0
