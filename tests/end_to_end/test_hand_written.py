"""Hand-written prefork servers leave when they are idle, however they wait and close."""

import pytest

from servers import HandWritten, ab, get, leavings, shim, wrk

WAITS = [
    "accept", "poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "exclusive",
]  # fmt: skip


def recycled(wait, close, way="_exit@idle", limit=20):
    """Runs one under load; returns what left."""
    environment = shim(SL_MAX_CONNECTIONS=limit, SL_LEAVE=way, SL_MAX_LEAVING=2)
    with HandWritten(environment, wait, close) as server:
        loads = [ab(server.url(), 3000), wrk(server.url(), seconds=1, keep_alive=False)]
        for load in loads:
            assert load.failed == 0, load.output
        left = leavings(server.log())
        print(f"{sum(load.requests for load in loads)} requests, {len(left)} leavings")
        assert len(left) >= 15
        assert {leaving.way for leaving in left} == {way}
        assert "ended with status" not in server.log()
        assert get(server.url()) == "ok\n"
        assert server.stop() == 0
        return left


@pytest.mark.parametrize("wait", WAITS)
def test_leaves_when_idle(wait):
    recycled(wait, "close")


@pytest.mark.parametrize("wait", WAITS)
def test_is_sent_a_signal_when_idle(wait):
    """The handler runs before the wait, which must not go on as if nothing had happened."""
    recycled(wait, "close", way="QUIT@idle")


@pytest.mark.parametrize("wait", ["accept", "exclusive"])
def test_leaves_at_every_connection(wait):
    left = recycled(wait, "close", limit=1)
    assert len(left) >= 300


@pytest.mark.parametrize("close", ["fclose", "dup2"])
@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
def test_sees_every_close(wait, close):
    recycled(wait, close)


def test_fclose_is_a_close():
    recycled("accept", "fclose", way="_exit@close")
