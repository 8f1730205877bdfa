"""lighttpd with server.max-worker. It recycles no worker by itself: what is compared is an
administrator who sends one worker after another SIGINT, its graceful signal, while connections for
one request come in."""

import signal
from collections import Counter

import pytest

from known import (
    ThreePorts, administered, expect_alike, expect_reload, expect_undisturbed, run_own,
    run_shimmed
)  # fmt: skip
from servers import as_root, sessions, shim, tool, wrk


class Lighttpd(ThreePorts):
    title = "lighttpd"

    @property
    def pid_file(self):
        return self.directory / "lighttpd.pid"

    def prepare(self):
        htdocs = self.make_files()
        further = [f'$SERVER["socket"] == "127.0.0.1:{port}" {{ }}\n' for port in self.ports[1:]]
        (self.directory / "lighttpd.conf").write_text(f"""
server.document-root = "{htdocs}"
server.bind = "127.0.0.1"
server.port = {self.port}
{'server.username = "www-data"' if as_root() else ""}
server.errorlog = "{self.output}"
server.pid-file = "{self.pid_file}"
server.max-worker = {self.workers_at_start}
index-file.names = ( "index.html" )
{"".join(further)}
""")

    def command(self):
        return [tool("lighttpd"), "-D", "-f", str(self.directory / "lighttpd.conf")]

    def is_answering(self):
        """A graceful end removes the pid file, but not a worker's."""
        return super().is_answering() and self.pid_file.read_text().strip().isdigit()

    def kinds(self):
        """Its master reads two clocks when a worker has ended, and may find them a second apart."""
        kinds = super().kinds()
        return Counter({kind: n for kind, n in kinds.items() if "clock jumped -# secs" not in kind})


def one_shot(server):
    return server.ab_each(800)


def kept_alive(server):
    return [sessions(server.port, 300), wrk(server.url(), seconds=1, clients=16)]


@pytest.fixture(scope="module")
def by_hand():
    return run_own(Lighttpd, administered(one_shot, signal.SIGINT))


@pytest.mark.parametrize("use", [one_shot, kept_alive])
def test_lighttpd(by_hand, use):
    """A worker leaves when none is open: with sessions that are short that is soon so in spite of
    four clients to each, and where all last for a second, at their end."""
    expect_alike(by_hand, run_shimmed(Lighttpd, use), hooks=False)


def test_slow_downloads():
    """Workers that have them stay; others leave, and no connection ever waits behind them."""
    expect_undisturbed(Lighttpd(shim(SL_MAX_CONNECTIONS=20)), one_shot)


def test_reload():
    expect_reload(Lighttpd(shim(SL_MAX_CONNECTIONS=20)), signal.SIGUSR1, one_shot)
