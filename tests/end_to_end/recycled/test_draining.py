"""Workers that are never without a connection stop accepting, serve what is open, and leave: under
load that never pauses, beside streams, and whatever becomes of them or their siblings meanwhile."""

import contextlib
import re
import signal
import sys
import time

import psutil
import pytest

import test_gunicorn
import test_lighttpd
import test_nginx
import test_puma
from known import SlowDownload
from marks import long_but
from servers import Program, get, load_until, load_until_left, said, sessions, shim, wait_until, wrk

FEW = {"SL_MAX_CONNECTIONS": 20}


def nginx(environment, workers=4):
    return test_nginx.make("", workers)(environment)


def gthread(environment):
    server = test_gunicorn.make("gthread", environment)
    server.workers_at_start = 4
    return server


def many_clients(server):
    return wrk(server.url(), seconds=2, clients=64)


def fifty_requests(server):
    return sessions(server.port, 200, requests=50, clients=24)


SERVERS = {
    "nginx": (nginx, many_clients),
    "lighttpd": (test_lighttpd.Lighttpd, many_clients),
    "gthread": (gthread, fifty_requests),
    "puma": (test_puma.Puma, fifty_requests),
}


WAITS = [
    "poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait", "epoll_pwait2", "edge",
    "exclusive",
]  # fmt: skip


def drained(server):
    """For how many seconds each did that left after draining."""
    return [float(time) for time in re.findall(r"; drained for ([\d.]+) s", said(server))]


def has_left(server, count, drained_first):
    """So many workers, of whom so many drained?"""
    return len(server.leavings()) >= count and len(drained(server)) >= drained_first


@pytest.mark.parametrize("name", SERVERS)
def test_load_that_never_pauses(name):
    make, use = SERVERS[name]
    with make(shim(**FEW)) as server:
        load_until(server, lambda: has_left(server, 10, drained_first=5), use)
        times = drained(server)
        assert max(times) < 30
        assert "stays" not in server.said.read_text()
        server.stop()


@pytest.mark.parametrize("wait", long_but(["poll", "select", "epoll_wait", "edge", "exclusive"], WAITS))
def test_each_kind_of_wait(wait):
    """Of a server that nobody knows, which says so if a wait tells what it must not. The first leaves
    on trial."""
    server = Program(shim(SL_REPLACE_TIMEOUT="3s", **FEW), "tests/event_loop", wait, workers=4)
    with server:
        load_until(server, lambda: has_left(server, 6, drained_first=3), fifty_requests)
        assert "a worker ended with status" not in server.log()
        server.stop()


@pytest.mark.parametrize("make", [nginx, test_lighttpd.Lighttpd])
def test_slow_downloads(make):
    """Two of 20 seconds, for as long as which their workers drain; the others go on leaving, since
    one more may."""
    with make(shim(SL_MAX_LEAVING=3, **FEW)) as server:
        downloads = [SlowDownload(server.port) for _ in range(2)]
        end = time.monotonic() + 20
        while time.monotonic() < end:
            many_clients(server).expect_good()
        assert len(server.leavings()) >= 5
        for download in downloads:
            download.finish()
        server.stop()


# ------------------------------------------------------------ a drain that ends otherwise


class Drainer:
    """Of two workers of nginx that are over their limit one drains, because it has a connection open
    that is slow; the other one cannot begin to."""

    def __init__(self, **variables):
        self.server = nginx(shim(SL_MAX_CONNECTIONS=1, **variables), workers=2)

    def __enter__(self):
        self.server.__enter__()
        self.downloads = []
        try:
            wait_until(self._drains, "one drains")
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *error):
        self.server.__exit__(*error)

    def listens(self, worker):
        """Its epoll set is the only one that has a listener."""
        listeners = {c.fd for c in worker.connections() if c.status == psutil.CONN_LISTEN}
        members = set()
        for fd in range(64):
            with contextlib.suppress(OSError):
                with open(f"/proc/{worker.pid}/fdinfo/{fd}") as info:
                    members |= {int(n) for n in re.findall(r"^tfd: +(\d+) ", info.read(), re.M)}
        return bool(listeners & members)

    def drainers(self):
        """Those that serve something and do not listen."""
        with contextlib.suppress(psutil.Error):
            return [
                worker
                for worker in self.server.workers()
                if any(c.status == psutil.CONN_ESTABLISHED for c in worker.connections())
                and not self.listens(worker)
            ]
        return []

    def _drains(self):
        """A worker is asked to leave when something comes to it."""
        if len(self.downloads) < 8:
            self.downloads.append(SlowDownload(self.server.port))
        get(self.server.url())
        return len(self.drainers()) == 1

    def finish(self):
        for download in self.downloads:
            download.finish()


def answers(server, times=20):
    for _ in range(times):
        get(server.url(), seconds=5)


@pytest.fixture
def drainer():
    with Drainer() as drainer:
        yield drainer


def test_slow_client(drainer):
    """It gets all, and then its worker leaves."""
    (worker,) = drainer.drainers()
    answers(drainer.server)
    drainer.finish()
    wait_until(lambda: not worker.is_running(), "the worker left")
    assert drained(drainer.server)


def test_drainer_that_is_killed(drainer):
    """The connection that it had open is lost, as without slshim; its place is filled, and others
    drain."""
    (worker,) = drainer.drainers()
    worker.kill()
    wait_until(lambda: len(drainer.server.pids() - {worker.pid}) == 2, "it was replaced")
    answers(drainer.server)
    load_until_left(drainer.server, 2)


def test_sibling_that_is_killed(drainer):
    """While its master replaces nobody the drainer is the only one that can accept."""
    (worker,) = drainer.drainers()
    (sibling,) = [other for other in drainer.server.workers() if other.pid != worker.pid]
    drainer.server.master.send_signal(signal.SIGSTOP)
    try:
        sibling.kill()
        answers(drainer.server)
        assert drainer.drainers() in ([], [sibling])
    finally:
        drainer.server.master.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("by", [signal.SIGHUP, signal.SIGUSR1], ids=["reload", "reopening"])
def test_master_that_is_signalled(drainer, by):
    drainer.server.master.send_signal(by)
    answers(drainer.server)
    drainer.finish()
    load_until_left(drainer.server, 2)


def test_master_that_is_killed(drainer):
    """An orphan that has nobody to replace it accepts again."""
    (worker,) = drainer.drainers()
    drainer.server.master.kill()
    wait_until(lambda: drainer.listens(worker), "it accepts again")


def test_drain_that_takes_too_long():
    """The worker accepts again, the other one has its turn, and the log says so once."""
    reason = "it stopped accepting, but its connections stayed open for SL_DRAIN_TIMEOUT"
    with Drainer(SL_DRAIN_TIMEOUT="2s") as drainer:
        wait_until(lambda: reason in drainer.server.said.read_text(), "it gave up")
        answers(drainer.server)
        drainer.finish()
        load_until_left(drainer.server, 2)
        assert drainer.server.said.read_text().count(reason) == 1


def test_overdue_worker_that_leaves():
    """By nginx's own way, which finishes what is open."""
    with Drainer(SL_DRAIN_TIMEOUT="1s", SL_OVERDUE="leave") as drainer:
        wait_until(lambda: "connections open (SL_OVERDUE)" in drainer.server.said.read_text(), "it left")
        answers(drainer.server)
        drainer.finish()


class AcceptMutex(test_nginx.Nginx):
    """Its workers take turns at waiting for the listener."""

    workers_at_start = 4

    def prepare(self):
        super().prepare()
        file = self.directory / "nginx.conf"
        file.write_text(file.read_text().replace("events {", "events { accept_mutex on;"))


CANNOT = {
    "forbidden": lambda environment: nginx(environment | {"SL_DRAIN_TIMEOUT": "0"}),
    "a listener each": test_nginx.make("reuseport"),
    "an accept mutex": AcceptMutex,
}


@pytest.mark.parametrize("why", CANNOT)
def test_no_drain(why):
    """Where nobody else would accept meanwhile."""
    reason = "for as long as it has connections open"
    with CANNOT[why](shim(SL_REPLACE_TIMEOUT="1s", **FEW)) as server:
        load_until(server, lambda: reason in said(server), many_clients)
        assert not drained(server)
