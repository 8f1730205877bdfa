"""unicorn. It recycles nobody by itself: what is compared is the SIGQUIT that its manual names for
a worker, sent by hand."""

import signal

import pytest

from known import RACK_APPLICATION, TwoPorts, by_hand, expect_alike, run_own, run_shimmed
from servers import ab, at_once, tool

CONFIGURATION = """
worker_processes 4
preload_app @preload@

after_fork do |server, worker|
  at_exit { File.write(ENV["WITNESS"], "at_exit #{$$}\\n", mode: "a") }
end
"""


class Unicorn(TwoPorts):
    title = "unicorn"
    ready = r"worker=\d+ ready"
    ports = 2
    preload = False

    def prepare(self):
        (self.directory / "config.ru").write_text(RACK_APPLICATION)
        preload = str(self.preload).lower()
        (self.directory / "unicorn.rb").write_text(CONFIGURATION.replace("@preload@", preload))

    def command(self):
        listen = [f"-l127.0.0.1:{port}" for port in self.open_ports()]
        return [tool("unicorn"), "-c", "unicorn.rb", "-E", "none", *listen, "config.ru"]


def use(server):
    """On both ports. ab -k falls back to one request a connection: it keeps none alive."""
    other = f"http://127.0.0.1:{server.other_port}/"
    return at_once(
        lambda: ab(server.url(), 500, clients=4),
        lambda: ab(other, 500, clients=4, keep_alive=True),
    )


@pytest.mark.parametrize("preload", [False, True], ids=["forked app", "preload_app"])
def test_unicorn(preload):
    def make(environment, own):
        server = Unicorn(environment, own)
        server.preload = preload
        return server

    own = run_own(make, by_hand(use, signal.SIGQUIT))
    expect_alike(own, run_shimmed(make, use))
