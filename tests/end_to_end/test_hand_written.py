"""Hand-written prefork servers leave when they are idle, however they wait and close."""

import pytest

from servers import HandWritten, ab, get, leavings, shim, wait_until, wrk

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


def test_stuck_exit_ends_after_two_seconds():
    """A handler that never returns costs the pool a worker for that long, and no connection."""
    environment = shim(SL_MAX_CONNECTIONS=20, SL_LEAVE="exit@idle", SL_MAX_LEAVING=1)
    with HandWritten(environment, "accept", "close", "stuck") as server:
        wait_until(lambda: len(server.workers()) == 8, "all workers are there")
        load = wrk(server.url(), seconds=9, keep_alive=False)
        assert load.failed == 0, load.output
        left = leavings(server.log())
        assert 3 <= len(left) <= 5  # at 0, 2, 4, 6 and 8 s
        assert "ended with status" not in server.log()


@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
def test_worker_that_ignores_its_signal_is_left_alone(wait):
    environment = shim(SL_MAX_CONNECTIONS=20, SL_LEAVE="QUIT@idle", SL_REPLACE_TIMEOUT="1s")
    with HandWritten(environment, wait, "close", "deaf") as server:
        wait_until(lambda: len(server.workers()) == 8, "all workers are there")
        before = {worker.pid for worker in server.workers()}
        load = wrk(server.url(), seconds=3, keep_alive=False)
        assert load.failed == 0, load.output
        assert {worker.pid for worker in server.workers()} == before
        assert len(leavings(server.log())) == 1  # a trial
        assert server.log().count("it did not leave within SL_REPLACE_TIMEOUT") == 1
