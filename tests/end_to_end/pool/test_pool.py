"""The pool as an onlooker sees it: never short of more workers than SL_MAX_LEAVING, whoever is
killed, and whatever is written on the page that the workers share."""

import contextlib
import os
import random
import signal
import time

import psutil
import pytest

from servers import (
    HandWritten, Repeated, ab, as_root, exchange, get, page_of, shim, wait_until, wrk
)  # fmt: skip
from unnamed import expect_clean_end

ROUNDS = int(os.environ.get("SLSHIM_ROUNDS", "1"))  # of the kills at random, a minute each


def living(master):
    """The children that live, zombies left out. Not by /proc/PID/task/PID/children, which passes
    some over while others end."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/stat") as stat:
                state, parent = stat.read().rpartition(")")[2].split()[:2]
                if int(parent) == master.pid and state not in "ZX":
                    found.add(entry.name)
    return found


class Onlooker(Repeated):
    """Counts the living workers again and again. Who was born while he looked has been passed over,
    though another may have left since: a second look finds those. So he counts all who live when
    it ends, unless so many come and go that a worker does both between two looks."""

    def __init__(self, server):
        super().__init__(0.001, self._look)
        self.server = server
        self.fewest = server.workers_at_start
        self.looks = 0
        self.since = 0  # what was before is not counted

    def _look(self):
        now = time.monotonic()
        count = len(living(self.server.master) | living(self.server.master))
        if now > self.since:
            self.fewest = min(self.fewest, count)
            self.looks += 1


@pytest.mark.parametrize(("most", "away"), [("1", 1), ("2", 2), ("50%", 4), ("10%", 1)])
def test_pool_is_never_short_of_more_than_may_leave(most, away):
    """All 8 cross their limit at once; their master takes a third of a second to replace one."""
    environment = shim(SL_MAX_CONNECTIONS=1, SL_MAX_LEAVING=most, SL_REPLACE_TIMEOUT="5s")
    with HandWritten(environment, oddity="slow") as server:
        with Onlooker(server) as onlooker:
            wrk(server.url(), seconds=8, keep_alive=False).expect_good()
        left = server.leavings()
        print(f"{len(left)} leavings, never fewer than {onlooker.fewest}, {onlooker.looks} looks")
        assert len(left) >= 15
        assert onlooker.fewest == 8 - away
        assert get(server.url()) == "ok\n"
        assert server.stop() == 0


# --------------------------------------------------------------- kills at random


class Client(Repeated):
    """Makes one connection after the other; notes when those that failed began and ended."""

    def __init__(self, port):
        super().__init__(0, self._connect)
        self.port = port
        self.made, self.failed = 0, []

    def _connect(self):
        start, is_good = time.monotonic(), False
        with contextlib.suppress(OSError):
            is_good = exchange(self.port, b"GET / HTTP/1.0\r\n\r\n", seconds=10).endswith(b"ok\n")
        self.made += 1
        if not is_good:
            self.failed.append((start, time.monotonic()))


class Killer(Repeated):
    """Kills a worker at random now and then, or has the server restart gracefully: then nobody
    looks for the time in which all leave and are replaced."""

    def __init__(self, server, chance, interval, onlooker):
        super().__init__(interval, self._kill)
        self.server, self.chance, self.onlooker = server, chance, onlooker
        self.restarts = interval / 20  # one in 20 s
        self.kills = []

    def _kill(self):
        if self.chance.random() < self.restarts:
            self.onlooker.since = time.monotonic() + 5
            self.server.master.send_signal(signal.SIGHUP)
            return
        with contextlib.suppress(psutil.Error, IndexError):
            worker = self.chance.choice(self.server.workers())
            start = time.monotonic()
            worker.send_signal(self.chance.choice([signal.SIGKILL, signal.SIGSEGV]))
            wait_until(lambda: has_ended(worker), "it has ended")
            self.kills.append((start, time.monotonic()))


def has_ended(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def is_by_a_kill(failure, kills):
    """A worker was killed, or had yet to end of it, while the connection was open: in accept, it
    takes one more before it ends."""
    begin, end = failure
    return any(start <= end and begin <= done for start, done in kills)


# What is tried in turn, and the seconds between two kills.
KINDS = [
    ({}, 0.1),
    ({"wait": "epoll_wait"}, 0.1),
    ({"wait": "exclusive"}, 0.1),
    ({"lock": "flock"}, 0.1),
    ({"lock": "sysv_undo"}, 0.1),
    ({"oddity": "slow"}, 2),
]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_workers_are_killed_at_random(number):
    kind, interval = KINDS[number % len(KINDS)]
    environment = shim(SL_MAX_CONNECTIONS=1000, SL_MAX_LEAVING=2, SL_REPLACE_TIMEOUT="3s")
    with HandWritten(environment, **kind) as server:
        clients = [Client(server.port) for _ in range(4)]
        onlooker = Onlooker(server)
        killer = Killer(server, random.Random(number), interval, onlooker)
        with contextlib.ExitStack() as running:
            for client in clients:
                running.enter_context(client)
            with onlooker, killer:
                time.sleep(60)  # the time that it is tried for, and waits for nothing
            left = len(server.leavings())
            wait_until(lambda: len(server.leavings()) >= left + 5, "workers go on to leave")
        failures = [failure for client in clients for failure in client.failed]
        made = sum(client.made for client in clients)
        print(
            f"{kind}: {made} connections, {len(failures)} failed, {len(killer.kills)} kills,"
            f" {left} leavings, never fewer than {onlooker.fewest} workers"
        )
        assert [failure for failure in failures if not is_by_a_kill(failure, killer.kills)] == []
        assert len(failures) <= len(killer.kills)
        assert left >= 15
        assert onlooker.fewest >= 1
        assert get(server.url()) == "ok\n"


# ---------------------------------------------------------------------- the page


class Scribbler(Repeated):
    """Writes on the page, through the memory of one of the workers."""

    def __init__(self, server, text):
        super().__init__(0.05, self._write)
        self.server, self.text = server, text
        self.written = 0

    def _write(self):
        worker = next(iter(self.server.workers()), self.server.master)
        with contextlib.suppress(OSError, TypeError):  # it has ended
            start, end = page_of(worker.pid)
            with open(f"/proc/{worker.pid}/mem", "r+b", buffering=0) as memory:
                memory.seek(start)
                self.written += memory.write(self.text(end - start))


@pytest.mark.skipif(not as_root(), reason="another's memory takes root")
@pytest.mark.parametrize(
    "text",
    [os.urandom, bytes, lambda size: size * b"\xff", lambda size: (size // 8) * b"\1\0\0\0\0\0\0\0"],
    ids=["random", "zeros", "ones", "small"],
)
def test_garbage_on_the_page_harms_nobody(text):
    """Recycling may rest meanwhile; it goes on afterwards."""
    environment = shim(SL_MAX_CONNECTIONS=200, SL_MAX_LEAVING=2, SL_REPLACE_TIMEOUT="1s")
    with HandWritten(environment) as server:
        with Onlooker(server) as onlooker, Scribbler(server, text) as scribbler:
            loads = [ab(server.url(), 2000), wrk(server.url(), seconds=5, keep_alive=False)]
        assert scribbler.written > 0
        before = len(server.leavings())
        loads.append(wrk(server.url(), seconds=3, keep_alive=False))
        after = len(server.leavings()) - before
        print(f"{before} leavings, then {after}; never fewer than {onlooker.fewest} workers")
        assert [load.failed for load in loads] == [0, 0, 0]
        assert onlooker.fewest >= 1
        assert after >= 15
        expect_clean_end(server)
