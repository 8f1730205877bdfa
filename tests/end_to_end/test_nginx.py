"""nginx, with listeners that its workers share and with one for each (reuseport). It recycles no
worker by itself: what is compared is an administrator who sends one worker after another SIGQUIT,
its graceful signal, while connections for one request come in."""

import contextlib
import signal
import socket

import psutil
import pytest

from known import Known, expect_alike, run_own, run_shimmed
from nginx import configuration
from servers import (
    Repeated, ab, at_once, free_port, leavings, sessions, shim, tool, wait_until, wrk
)  # fmt: skip

SLOW = 32 * 1024 * 1024  # bytes; more than the kernel keeps for a client that does not read


class Nginx(Known):
    title = "nginx"
    options = ""  # of the listeners

    def __init__(self, environment=None, own=None):
        super().__init__(environment, own)
        self.ports = [self.port, free_port(), free_port()]

    def prepare(self):
        htdocs = self.directory / "htdocs"
        htdocs.mkdir()
        (htdocs / "index.html").write_text("ok\n")
        with open(htdocs / "slow", "wb") as slow:
            slow.truncate(SLOW)
        listens = " ".join(f"listen 127.0.0.1:{port} {self.options};" for port in self.ports)
        http = f"server {{ {listens} root {htdocs}; }}"
        (self.directory / "nginx.conf").write_text(configuration(self, http))

    def command(self):
        return [tool("nginx"), "-c", str(self.directory / "nginx.conf")]


def make(options):
    def make_one(environment=None, own=None):
        server = Nginx(environment, own)
        server.options = options
        return server

    return make_one


class Administrator(Repeated):
    def __init__(self, server):
        super().__init__(0.05, self._quit_one)
        self.server = server

    def _quit_one(self):
        with contextlib.suppress(psutil.Error, IndexError):
            self.server.workers()[0].send_signal(signal.SIGQUIT)


def one_shot(server, requests=1200):
    urls = [f"http://127.0.0.1:{port}/" for port in server.ports]
    return at_once(*[lambda url=url: ab(url, requests, clients=3) for url in urls])


def use_by_hand(server):
    with Administrator(server):
        return one_shot(server)


@pytest.fixture(scope="module")
def by_hand():
    """By the options of the listeners."""
    results = {}

    def find(options):
        if options not in results:
            results[options] = run_own(make(options), use_by_hand)
        return results[options]

    return find


OPTIONS = pytest.mark.parametrize("options", ["", "reuseport"], ids=["shared", "reuseport"])


@OPTIONS
def test_one_shot(by_hand, options):
    expect_alike(by_hand(options), run_shimmed(make(options), one_shot), hooks=False)


@OPTIONS
def test_kept_alive(by_hand, options):
    """A worker leaves when none is open: where several clients a worker keep theirs, seldom."""

    def use(server):
        return [sessions(server.port, 400), wrk(server.url(), seconds=1)]

    expect_alike(by_hand(options), run_shimmed(make(options), use), hooks=False)


class Download:
    """Of which little is read before finish()."""

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.connection.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
        self.received = len(self.connection.recv(1000))

    def finish(self):
        with self.connection:
            while more := self.connection.recv(1 << 20):
                self.received += len(more)
        return self.received


@OPTIONS
def test_slow_downloads(options):
    """Workers that have them stay, and those that come for the others never wait behind them:
    each connection is answered before the downloads go on."""
    with make(options)(shim(SL_MAX_CONNECTIONS=20)) as server:
        downloads = [Download(server.port) for _ in range(2)]
        for _ in range(40):
            for load in one_shot(server):
                assert load.failed == 0, load.output
            if len(leavings(server.said.read_text())) >= 15:
                break
        assert len(leavings(server.said.read_text())) >= 15
        for download in downloads:
            assert download.finish() > SLOW
        assert set(server.statuses()) == {"exited 0"}
