"""What is measured at every connection, in children of httpd with mod_perl: memory that comes and
goes is no growth, and does not hide what stays."""

from servers import Httpd, Sampler, ab, growing, leavings, shim

KB, MB = 1024, 1024 * 1024
LIMIT = shim(SL_MAX_UNSHARED="16M", SL_MAX_LEAVING="100%")


def test_transient_memory_is_no_growth():
    """Each request takes and frees 4 MB, a thousand faults: the bounds cross the limit again and
    again, and each time a walk tells that it is not crossed."""
    config = growing(preloaded_mb=32, unshared_kb=0, transient_kb=4096)
    with Httpd(LIMIT, modules=("perl",), config=config, workers_at_start=4) as server:
        with Sampler(server) as sampler:
            load = ab(server.url("/grow"), 2000, clients=4)
        assert load.failed == 0, load.output
        assert leavings(server.log()) == []
        assert max(sampler.highest.values()) < 16 * MB


def test_growth_is_seen_beside_transient_memory():
    """64 KB of each request stay. A child over its limit is found by the next walk that the budget
    allows."""
    config = growing(preloaded_mb=32, unshared_kb=64, transient_kb=4096)
    with Httpd(LIMIT, modules=("perl",), config=config, workers_at_start=4) as server:
        loads = []
        while len(leavings(server.log())) < 15 and len(loads) < 20:
            loads.append(ab(server.url("/grow"), 500, clients=4))
            assert loads[-1].failed == 0, loads[-1].output
        left = leavings(server.log())
        assert len(left) >= 15
        for leaving in left:
            value, limit = leaving.limits["SL_MAX_UNSHARED"]
            assert limit == 16 * KB < value
