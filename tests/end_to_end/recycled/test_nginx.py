"""nginx, with listeners that its workers share and with one for each (reuseport). It recycles no
worker by itself: what is compared is an administrator who sends one worker after another SIGQUIT,
its graceful signal, while connections for one request come in."""

import signal

import pytest

from known import (
    Administrator, Known, SlowDownload, expect_alike, expect_reload, expect_undisturbed, run_own,
    run_shimmed
)  # fmt: skip
from nginx import configuration
from servers import ab, ab_each, free_port, leavings, sessions, shim, tool, wait_until, wrk


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
        SlowDownload.make(htdocs / "slow")
        listens = " ".join(f"listen 127.0.0.1:{port} {self.options};" for port in self.ports)
        http = f"server {{ {listens} root {htdocs}; keepalive_requests 20; }}"
        main = f"worker_processes {self.workers_at_start};"
        (self.directory / "nginx.conf").write_text(configuration(self, http, main))

    def command(self):
        return [tool("nginx"), "-c", str(self.directory / "nginx.conf")]


def make(options, workers=4):
    def make_one(environment=None, own=None):
        server = Nginx(environment, own)
        server.options, server.workers_at_start = options, workers
        return server

    return make_one


def one_shot(server, requests=1200):
    return ab_each([f"http://127.0.0.1:{port}/" for port in server.ports], requests)


def use_by_hand(server):
    with Administrator(server, signal.SIGQUIT):
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
    """A worker leaves when none is open, which a low keepalive_requests brings about in spite of
    four clients to each."""

    def use(server):
        return [sessions(server.port, 400), wrk(server.url(), seconds=1, clients=16)]

    expect_alike(by_hand(options), run_shimmed(make(options), use), hooks=False)


@OPTIONS
def test_slow_downloads(options):
    """Workers that have them stay; others leave, and no connection ever waits behind them."""
    expect_undisturbed(make(options)(shim(SL_MAX_CONNECTIONS=20)), one_shot)


@OPTIONS
def test_reload(options):
    """The new ones are born before those that they replace end: these are away until
    SL_REPLACE_TIMEOUT."""
    environment = shim(SL_MAX_CONNECTIONS=20, SL_REPLACE_TIMEOUT=1)
    expect_reload(make(options)(environment), signal.SIGHUP, one_shot)


def test_always_open():
    """A worker that always has a connection open stays, says so, and leaves at the first moment
    without."""
    server = make("", workers=1)(shim(SL_MAX_CONNECTIONS=20, SL_REPLACE_TIMEOUT=1))
    said = server.said.read_text
    with server:
        download = SlowDownload(server.port)

        def is_said():
            assert ab(server.url(), 50).failed == 0
            return "stays (its way out: QUIT@close): for as long as it has connections open" in said()

        wait_until(is_said, "it is said")
        assert not leavings(said())
        download.finish()
        assert ab(server.url(), 50).failed == 0
        assert len(leavings(said())) >= 1
