"""httpd's models with threads, worker and event: a child is told to leave as its master would do
it, and finishes what is open. Compared with MaxConnectionsPerChild."""

import contextlib
import http.client
import random
import signal
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psutil
import pytest

from servers import PATIENCE, THREADED_POOL, Httpd, at_once, get, shim, wait_until, wrk

EVERY = 20  # a child is recycled when it has accepted about that many connections
MODELS = pytest.mark.parametrize("mpm", ["worker", "event"])


def make_own(mpm, config="", **arguments):
    """As it recycles by itself."""
    config = f"{THREADED_POOL}MaxConnectionsPerChild {EVERY}\n{config}"
    return Httpd({}, mpm=mpm, config=config, observed=True, **arguments)


def make_shimmed(mpm, environment=None, config="", **arguments):
    """A child leaves when it has more connections than the limit: at the same one."""
    limits = {"SL_MAX_CONNECTIONS": EVERY - 1, "SL_MAX_LEAVING": "100%"} | (environment or {})
    return Httpd(shim(**limits), mpm=mpm, config=THREADED_POOL + config, observed=True, **arguments)


def recycled(server):
    return len(server.leavings()) or len(server.statuses())


def recycle(server, load):
    """Loads it until enough were recycled; how they ended, and its complaints."""
    end = time.monotonic() + PATIENCE
    while recycled(server) < 15 and time.monotonic() < end:
        load()
    return ends_of(server)


def ends_of(server):
    """How those that were recycled ended, and its complaints."""
    count = recycled(server)
    wait_until(lambda: len(server.statuses()) >= count, "the master saw them end")
    ends = Counter(server.statuses()), server.complaints()  # its stop is another matter
    print(f"{count} recycled", *ends)
    return ends


def expect_clean(server, own_ends):
    """Everyone left once, by its profile, and as its own recycling has it; it goes on."""
    own_statuses, own_complaints = own_ends
    left = server.leavings()
    assert len(left) >= 15
    assert {leaving.way for leaving in left} == {"pod@accept"}
    assert len({leaving.pid for leaving in left}) == len(left)
    assert "is over a limit and stays" not in server.log()
    assert "(httpd worker, event)" in server.log()
    assert set(server.statuses()) <= set(own_statuses) == {"exited 0"}
    assert server.complaints() <= own_complaints
    assert get(server.url()) == "ok\n"
    assert server.stop() == 0


# ------------------------------------------------------- one request a connection


@MODELS
@pytest.mark.parametrize("listens", [1, 2])
def test_connections(mpm, listens):
    """Of two listeners worker has a mutex around accept."""

    def load(server):
        return at_once(
            *[
                lambda port=port: wrk(server.url(port=port), 1, clients=16, keep_alive=False)
                for port in range(listens)
            ]
        )

    def load_shimmed():
        for one in load(server):
            print(f"{one.requests} requests, {one.failed} failed")
            one.expect_good()

    with make_own(mpm, listens=listens) as own:
        own_ends = recycle(own, lambda: load(own))
    with make_shimmed(mpm, listens=listens) as server:
        recycle(server, load_shimmed)
        expect_clean(server, own_ends)


# ---------------------------------------------------------- kept-alive connections


@dataclass
class Kept:
    """What a client with kept-alive connections sees."""

    requests: int = 0
    announced: int = 0  # closed after "Connection: close"
    unannounced: int = 0  # closed while nothing was asked, or instead of a reply
    failed: int = 0  # ... so that the first request on it got none

    def __iadd__(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self


def keep(port, stopped, seed):
    """One client, which thinks between two requests, and asks again where the connection that it
    kept was closed."""
    thinks, seen = random.Random(seed), Kept()
    connection, asked = None, 0
    while not stopped.wait(thinks.uniform(0, 0.01)):
        if connection is None:
            connection, asked = http.client.HTTPConnection("127.0.0.1", port, timeout=60), 0
        try:
            connection.request("GET", "/")
            reply = connection.getresponse()
            assert (reply.status, reply.read()) == (200, b"ok\n")
        except (OSError, http.client.HTTPException):
            seen.unannounced += asked > 0
            seen.failed += asked == 0
            connection = None
            continue
        seen.requests += 1
        asked += 1
        if reply.will_close:
            seen.announced += 1
            connection = None
    return seen


def keep_until_recycled(server, at_least):
    """What 16 of them have seen until then; how many were recycled, and as `ends_of`."""
    stopped, total = threading.Event(), Kept()
    with ThreadPoolExecutor(16) as pool:
        clients = [pool.submit(keep, server.ports[0], stopped, seed) for seed in range(16)]
        try:
            wait_until(lambda: recycled(server) >= at_least, f"{at_least} were recycled")
            ends = ends_of(server)
        finally:
            stopped.set()
        for client in clients:
            total += client.result()
    count = recycled(server)
    print(total, f"{total.unannounced / count:.2f} were closed unannounced by each that left")
    return total, count, ends


@pytest.mark.alone  # the two have to find the machine alike
@MODELS
def test_kept_alive_connections(mpm):
    """A child that stops closes those on which nothing is asked: event all at once, worker each
    with its next reply. A client may ask at just that moment; its own recycling does it as often."""
    kept_short = "MaxKeepAliveRequests 7"
    with make_own(mpm, config=kept_short) as own:
        own_seen, own_count, own_ends = keep_until_recycled(own, 40)
    with make_shimmed(mpm, config=kept_short) as server:
        seen, count, _ = keep_until_recycled(server, 40)
        expect_clean(server, own_ends)
    assert seen.failed == 0
    assert seen.unannounced / count <= 1.25 * own_seen.unannounced / own_count + 1


# ---------------------------------------------------------------- what takes long


class SlowDownload:
    """More than sockets hold, of which one reads no more than the beginning until `finish`."""

    SIZE = 32 << 20

    def __init__(self, server):
        self.content = random.Random(0).randbytes(self.SIZE)
        (server.directory / "htdocs" / "large").write_bytes(self.content)
        self.socket = socket.create_connection(("127.0.0.1", server.ports[0]), timeout=60)
        self.socket.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.got = self.socket.recv(4096)
        self.child = wait_until(lambda: self._find_child(server), "a child serves it")

    def _find_child(self, server):
        name = self.socket.getsockname()
        for child in server.workers():
            with contextlib.suppress(psutil.Error):
                if any(connection.raddr == name for connection in child.connections("tcp")):
                    return child
        return None

    def finish(self):
        with self.socket:
            while more := self.socket.recv(1 << 20):
                self.got += more
        assert self.got.split(b"\r\n\r\n", 1)[1] == self.content


def served_by(server):
    return set((server.directory / "served").read_text().split())


@MODELS
def test_slow_download(mpm):
    """The child that serves it finishes it, though asked to leave; it is away for as long as that
    takes, longer than SL_REPLACE_TIMEOUT: while nobody replaces it, for enough idle, no other one
    leaves."""

    def load():
        wrk(server.url(), 1, clients=4, keep_alive=False).expect_good()

    def left():
        return [leaving.pid for leaving in server.leavings()]

    environment = {"SL_MAX_LEAVING": 1, "SL_REPLACE_TIMEOUT": "1s"}
    config = 'StartServers 5\nMinSpareThreads 1\nCustomLog "@directory@/served" "%P"\n'
    with make_shimmed(mpm, environment, config) as server:
        download = SlowDownload(server)
        wait_until(lambda: load() or download.child.pid in left(), "the child leaves")
        before, known = left(), served_by(server)
        for _ in range(3):
            load()
        if served_by(server) == known:  # nobody came in its place; it was not the last one
            assert left() == before
        assert download.child.is_running()
        download.finish()
        download.child.wait(30)
        wait_until(lambda: load() or left() != before, "others leave again")
        assert left().count(download.child.pid) == 1
        assert "is over a limit and stays" not in server.log()
        assert set(server.statuses()) == {"exited 0"}
        assert server.stop() == 0


@MODELS
def test_restart(mpm):
    """A graceful restart gives the children a new pipe, and the old ones their order."""
    with make_shimmed(mpm) as server:
        for _ in range(3):
            before = server.pids()
            server.master.send_signal(signal.SIGUSR1)
            wait_until(lambda: not before & server.pids(), "all children are new")
            wrk(server.url(), 1, keep_alive=False).expect_good()
        assert len(server.leavings()) >= 15
        assert "is over a limit and stays" not in server.log()
        assert server.stop() == 0


def test_buckets():
    """With ListenCoresBucketsRatio each child has the pipe and the listeners of its bucket only."""
    with make_shimmed("event", config="ListenCoresBucketsRatio 1\n") as server:
        recycle(server, lambda: wrk(server.url(), 1, keep_alive=False))
        assert "is over a limit and stays" not in server.log()
