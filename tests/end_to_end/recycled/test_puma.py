"""puma in cluster mode. It recycles nobody by itself: what is compared is the SIGTERM with which
its own phased restart ends a worker, sent by hand. That loses connections, one-shot ones, too: puma
closes those of which it has accepted but not yet read the request. slshim must not.

Such a worker, or one of a puma that is stopped, may hang (puma's issue 3677: with puma 6.6 and ruby 3.3
one of thirty that are idle). Then it is killed, as by puma after its worker_shutdown_timeout; one that
slshim has told to leave has to end by itself."""

import contextlib
import re
import signal
from pathlib import Path

import psutil
import pytest

from known import RACK_APPLICATION, Known, by_hand, expect_alike, run_own, run_shimmed
from servers import ab, load_until, load_until_left, rounds_of, sessions, shim, tool, wait_until

CONFIGURATION = """
workers 4
threads @threads@
bind "tcp://127.0.0.1:@port@"
@preload@
@fork_worker@

note = lambda { |what| File.write(ENV["WITNESS"], "#{what}\\n", mode: "a") }
on_worker_boot { at_exit { note.call("at_exit") } }
on_worker_shutdown { note.call("on_worker_shutdown") }
"""


# Said where a worker's end is noticed before its last words have been read: whenever one ends while
# another is born, and as often with a SIGTERM sent by hand at such a moment.
LATE_WORDS = "[#] ! Out-of-sync worker list, no # worker"


def names_of_threads(pid):
    with contextlib.suppress(OSError):
        return {file.read_text().strip() for file in Path(f"/proc/{pid}/task").glob("*/comm")}
    return set()


def kill_those_that_hang(workers):
    _, hung = psutil.wait_procs(workers, timeout=5)
    for worker in hung:
        worker.kill()


class Puma(Known):
    title = "puma"
    application = RACK_APPLICATION
    ready = r"Worker \d+ \(PID: \d+\) booted"
    ready_signal = signal.SIGTERM
    threads = "1, 5"
    preload = False
    fork_worker = False

    def prepare(self):
        (self.directory / "config.ru").write_text(self.application)
        (self.directory / "puma.rb").write_text(
            CONFIGURATION.replace("@threads@", self.threads)
            .replace("@port@", str(self.port))
            .replace("@fork_worker@", "fork_worker 0" if self.fork_worker else "")
            .replace("@preload@", "preload_app!" if self.preload else "")
        )

    def command(self):
        return [tool("puma"), "-C", "puma.rb", "-e", "production"]

    def tell(self, worker, by):
        super().tell(worker, by)
        kill_those_that_hang([worker])

    def stop(self, by=signal.SIGTERM):
        wait_until(self.is_settled, "all workers are there and ready")
        workers = self.workers()
        self.master.send_signal(by)
        kill_those_that_hang(workers)
        return self.process.wait(30)

    def is_ready(self, worker):
        """Also when it has booted, a worker forgets a SIGTERM until it has the thread that accepts,
        and its master, which sends no other, waits for it forever."""
        return super().is_ready(worker) and "puma srv" in names_of_threads(worker.pid)


@pytest.fixture(scope="module", params=[False, True], ids=["forked app", "preload_app"])
def own(request):
    def make(environment, own):
        server = Puma(environment, own)
        server.preload = request.param
        return server

    own = run_own(make, by_hand(one_shot, signal.SIGTERM), may_lose=True)
    del own.statuses["killed by SIGKILL"]
    return make, own


def one_shot(server):
    return [ab(server.url(), 1000)]


def kept_alive(server):
    clients = 4  # it leaves when none of its connections is open
    return [
        sessions(server.port, 100, clients=clients),
        ab(server.url(), 500, clients, keep_alive=True),
    ]


@pytest.mark.parametrize("use", [one_shot, kept_alive])
def test_puma(own, use):
    """Both hooks, in each worker."""
    make, own = own
    shimmed = run_shimmed(make, use)
    assert shimmed.hooks >= 2 * shimmed.recycled
    del shimmed.kinds[LATE_WORDS]
    expect_alike(own, shimmed)


@pytest.mark.long
def test_none_hangs():
    """As one of a hundred did with a single client, when it closed its pipes at once."""
    with Puma(shim(SL_MAX_CONNECTIONS=20)) as server:
        load_until_left(server, 100, rounds_of(500, clients=1), seconds=300)
        gone = {leaving.pid for leaving in server.leavings()}
        wait_until(lambda: not gone & server.pids(), "those that were told to leave have ended")
        server.stop()


class ForkingPuma(Puma):
    """Its first worker forks the others when it has booted."""

    fork_worker = True
    workers_at_start = 1

    def others(self):
        with contextlib.suppress(psutil.Error):
            return self.workers()[0].children()
        return []

    def pids(self):
        return {worker.pid for worker in self.workers() + self.others()}


def test_workers_stay_where_one_forks_the_others():
    """Whenever another one is to be forked, the first stops its own server, and closes connections
    that it has accepted and not read from. And who ends it has orphans."""
    reasons = ["its own children are workers, and it is their master", "its parent accepts as well"]
    with ForkingPuma(shim(SL_MAX_CONNECTIONS=50)) as server:
        wait_until(lambda: len(server.others()) == 3, "all are there")
        wait_until(lambda: len(re.findall(server.ready, server.log())) >= 4, "all are ready")
        before = server.pids()

        def all_is_said():
            return all(reason in server.said.read_text() for reason in reasons)

        load_until(server, all_is_said, rounds_of(500))
        ab(server.url(), 3000).expect_good()
        assert server.leavings() == []
        assert server.pids() == before
        assert server.said.read_text().count("is over a limit and stays") == 2


SCRIPT = """
require "puma/cli"
Puma::CLI.new(["-C", "puma.rb", "-e", "production"]).run
"""


@pytest.mark.parametrize("by", ["pumactl", "script"])
def test_started_otherwise(by):
    """It is known by what ruby has loaded."""
    server = Puma(shim(SL_MAX_CONNECTIONS=20))
    (server.directory / "server").write_text(SCRIPT)
    commands = {
        "pumactl": [tool("pumactl"), "-F", "puma.rb", "start"],
        "script": [tool("ruby"), "server"],
    }
    server.command = lambda: commands[by]
    with server:
        load_until_left(server, 3, rounds_of(200))
        assert "(puma)" in server.said.read_text()
        server.stop()
