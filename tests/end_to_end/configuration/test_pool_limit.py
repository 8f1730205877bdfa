"""SL_MAX_POOL, a limit on all workers together, in an httpd of four children that unshare memory at each
request: the pool keeps it, and the child leaves that gives most back."""

import contextlib
import random
import time

import psutil

from servers import PATIENCE, Httpd, get, grow, growing, shim, unshared

KB, MB = 1024, 1024 * 1024

# A request for /grow unshares 2 KB, one for /grow_much a megabyte.
FOUR_CHILDREN = growing(preloaded_mb=32, unshared_kb=2) + """
MaxRequestWorkers 4
<Location /grow_much>
    SetHandler modperl
    PerlResponseHandler Growing
    PerlSetVar UnsharedKB 1024
</Location>
"""


def open_server(**variables):
    return Httpd(shim(**variables), modules=("perl",), config=FOUR_CHILDREN, workers_at_start=4)


def proportional(server):
    """Bytes of all workers of a server together, as the kernel tells an observer."""
    total = 0
    for worker in server.workers():
        with contextlib.suppress(psutil.Error):
            total += worker.memory_full_info().pss
    return total


def measure_fresh_pool():
    """In KB."""
    with open_server() as server:
        grow(server, 100)
        return proportional(server) // KB


def test_pool_keeps_its_limit():
    """With what it grows by while no walk is affordable, and with what new children have: where all
    others have left, httpd replaces them at once, after a second in which one child grew alone."""
    fresh = measure_fresh_pool()
    limit = fresh + 8 * KB
    most = limit + 16 * KB + fresh
    with open_server(SL_MAX_POOL=f"{limit}K", SL_MAX_LEAVING="100%") as server:
        highest, end = 0, time.monotonic() + PATIENCE
        while len(server.leavings()) < 10 and time.monotonic() < end:
            grow(server, 1000)
            highest = max(highest, proportional(server) // KB)
        print(f"limit {limit} KB, highest {highest} KB, {len(server.leavings())} leavings")
        assert len(server.leavings()) >= 10, server.log()
        for leaving in server.leavings():
            value, threshold = leaving.limits["SL_MAX_POOL"]
            assert list(leaving.limits) == ["SL_MAX_POOL"] and threshold == limit
            assert limit < value < most, leaving.text
        assert highest < most
        assert server.stop() == 0


def test_the_one_that_gives_most_back_leaves():
    """Although as many may leave as want to. They grow at random, and their memory is looked at
    before each request."""
    chance = random.Random(1)
    limit = measure_fresh_pool() + 8 * KB
    with open_server(SL_MAX_POOL=f"{limit}K", SL_MAX_LEAVING="100%") as server:
        seen, end, sizes, gone = 0, time.monotonic() + PATIENCE, {}, set()
        while seen < 10 and time.monotonic() < end:
            found = server.leavings()[seen:]
            now = {worker.pid: unshared(worker) for worker in server.workers()}
            for leaving in found:
                most = max(sizes.get(pid, 0) for pid in {leaving.pid, *now} - gone)
                assert sizes[leaving.pid] > most - 1.5 * MB, leaving.text
                gone.add(leaving.pid)
            seen += len(found)
            sizes |= {pid: size for pid, size in now.items() if size is not None}
            get(server.url(chance.choice(["/grow", "/grow_much"])))
        print(f"limit {limit} KB, {seen} leavings")
        assert seen >= 10, server.log()
        assert server.stop() == 0


def test_pool_within_its_limit_stays():
    with open_server(SL_MAX_POOL="10G") as server:
        grow(server, 1000)
        assert server.leavings() == []
        assert server.stop() == 0
