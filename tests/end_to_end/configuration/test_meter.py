"""What is measured at every connection, in children of httpd with mod_perl: memory that comes and
goes is no growth, and does not hide what stays."""

from servers import Sampler, grow, growing_httpd, load_until_left, rounds_of, shim

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
        load_until_left(server, 15, rounds_of(500, 4, "/grow"), seconds=30)
        for leaving in server.leavings():
            value, limit = leaving.limits["SL_MAX_UNSHARED"]
            assert limit == 16 * KB < value
