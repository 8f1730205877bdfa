"""Workers that a master starts by execve, named by SL_ONLY and SL_LEAVE: a trial costs one at most,
and few are away at a time, as of those that are forked."""

import signal
from pathlib import Path

import pytest

from servers import accepts, as_root, load_until, load_until_left, shim, wait_until, wrk
from started import NAMED, Started
from test_pool import Onlooker

PAGES = Path("/dev/shm")


def pages():
    return set(PAGES.glob("slshim.*"))


def crash(server):
    """One of the workers; the master starts another one."""
    before = server.pids()
    next(iter(server.workers())).send_signal(signal.SIGKILL)
    wait_until(lambda: server.pids() - before, "it was replaced")
    server.wait_until_settled(len(before))


def test_supervisor_that_does_not_restart_a_clean_exit_loses_one():
    """All over their limit at once, under load all the time; also when the trial has run out, and
    when some have crashed, which it does restart."""
    with Started(shim(SL_MAX_CONNECTIONS=1, **NAMED), by="on_failure") as server:
        load_until_left(server, 1)
        crash(server)
        # After SL_REPLACE_TIMEOUT, as it comes.
        load_until(server, lambda: "no new worker came to accept" in server.log())
        for _ in range(3):
            crash(server)
            wrk(server.url(), seconds=1, keep_alive=False).expect_good()
        assert len(server.leavings()) == 1
        assert len(server.workers()) == 3
        assert server.log().count("no new worker came to accept") == 1
        assert accepts(server.port)


def test_supervisor_that_restarts_recycles():
    """One at a time, which is a tenth of four. The place of one that left may be filled between two
    looks, each time on a fast machine."""
    with Started(shim(SL_MAX_CONNECTIONS=20, **NAMED)) as server:
        with Onlooker(server) as onlooker:
            load_until_left(server, 30)
        assert onlooker.fewest >= 3
        assert "stays" not in server.log()
        assert "ended with status" not in server.log()


def test_pages_of_masters_that_are_gone_are_removed():
    before = pages()
    with Started(shim(SL_MAX_CONNECTIONS=1, **NAMED)) as server:
        (first,) = pages() - before
        assert first.stat().st_mode & 0o7777 == 0o600
        server.stop()
    with Started(shim(SL_MAX_CONNECTIONS=1, **NAMED)):
        (second,) = pages() - before
        assert second != first
    second.unlink()


@pytest.mark.skipif(not as_root(), reason="another mount takes root")
def test_who_has_no_page_stays():
    """/dev/shm is too small."""
    small = "mount -t tmpfs -o size=4k none /dev/shm && exec "
    server = Started(shim(SL_MAX_CONNECTIONS=1, **NAMED))
    command = " ".join(f"'{word}'" for word in server.command)
    server.command = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", small + command]
    with server:
        load_until(server, lambda: "no memory that it shares with its pool" in server.log())
        load_until(server, lambda: True)
        assert server.leavings() == []
