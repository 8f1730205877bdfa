"""nginx, with listeners that its workers share and with one for each (reuseport). It recycles no
worker by itself: what is compared is an administrator who sends one worker after another SIGQUIT,
its graceful signal, while connections for one request come in."""

import signal

import pytest

from known import (
    SlowDownload, ThreePorts, administered, expect_alike, expect_reload, expect_undisturbed,
    run_own, run_shimmed
)  # fmt: skip
from nginx import configuration
from servers import ab, load_until, rounds_of, sessions, shim, tool, wrk


class Nginx(ThreePorts):
    title = "nginx"
    options = ""  # of the listeners

    def prepare(self):
        htdocs = self.make_files()
        listens = " ".join(f"listen 127.0.0.1:{port} {self.options};" for port in self.ports)
        http = f"server {{ {listens} root {htdocs}; }}"
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


def one_shot(server):
    return server.ab_each(1200)


@pytest.fixture(scope="module")
def by_hand():
    """By the options of the listeners."""
    results = {}

    def find(options):
        if options not in results:
            results[options] = run_own(make(options), administered(one_shot, signal.SIGQUIT))
        return results[options]

    return find


OPTIONS = pytest.mark.parametrize("options", ["", "reuseport"], ids=["shared", "reuseport"])


@OPTIONS
def test_one_shot(by_hand, options):
    expect_alike(by_hand(options), run_shimmed(make(options), one_shot), hooks=False)


@OPTIONS
def test_kept_alive(by_hand, options):
    """A worker leaves when none is open: with sessions that are short that is soon so in spite of
    four clients to each, and where all last for a second, with keepalive_requests as it comes, at
    their end."""

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
    reason = "stays (exit method QUIT@close): for as long as it has connections open"
    with server:
        download = SlowDownload(server.port)
        load_until(server, lambda: reason in server.said.read_text(), rounds_of(50))
        assert server.leavings() == []
        download.finish()
        ab(server.url(), 50).expect_good()
        assert len(server.leavings()) >= 1
