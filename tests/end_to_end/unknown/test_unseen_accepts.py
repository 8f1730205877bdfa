"""Workers that accept in a way that no hook sees are not recycled, which is said once; and nothing of
the kind is said of those who are given their connections, or get none."""

import ctypes
import os

import pytest

from servers import HandWritten, ab, get, load_until, shim

PASSED_BY = "is not watched: it accepts connections in a way that slshim does not see"


def kernel_has_io_uring():
    """Containers often forbid it."""
    setup = 425
    ring = ctypes.CDLL(None).syscall(setup, 1, ctypes.create_string_buffer(120))
    if ring >= 0:
        os.close(ring)
    return ring >= 0


@pytest.mark.parametrize("way", ["raw_accept", "deep_accept", "uring_accept"])
def test_says_that_accepts_are_not_seen(way):
    if way == "uring_accept" and not kernel_has_io_uring():
        pytest.skip("the kernel refuses io_uring")
    with HandWritten(shim(SL_MAX_CONNECTIONS=1), oddity=way) as server:
        load_until(server, lambda: PASSED_BY in server.log())
        before = server.pids()
        load_until(server, lambda: True)
        assert server.log().count("is not watched: ") == 1
        assert server.leavings() == []
        assert server.pids() == before
        assert "ended with status" not in server.log()
        assert get(server.url()) == "ok\n"
        assert server.stop() == 0


@pytest.mark.parametrize(
    "parts", [("accept", "passed"), ("epoll_wait", "passed"), ("accept", "fork_cgi"), ("poll", "dup2")]
)
def test_connections_that_were_accepted_elsewhere_are_no_sign(parts):
    """By a sibling that passes them on, or by the parent of the process that closes them."""
    with HandWritten(shim(SL_MAX_CONNECTIONS=1000000), *parts) as server:
        ab(server.url(), 2000).expect_good()
        assert "watches its workers" in server.log()
        assert PASSED_BY not in server.log()


def test_idle_workers_are_no_sign():
    """Their closes are of other things, and there are few connections, if any."""
    with HandWritten(shim(SL_MAX_CONNECTIONS=1), oddity="lone") as server:
        assert PASSED_BY not in server.log()
        assert get(server.url()) == "ok\n"
        assert PASSED_BY not in server.log()
        assert server.stop() == 0
