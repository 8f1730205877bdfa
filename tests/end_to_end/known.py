"""What is common to the tests of servers that a profile names: each is made to recycle its workers
once by itself, as it comes, and once by slshim, under the same load, and the two are compared.

What has to be the same: nothing lost, the wait statuses that the master sees, the kinds of lines in
the server's own log and how many of each a recycling makes, the hooks that a worker runs before it
ends. A server runs in the foreground, so that strace can watch its master."""

import contextlib
import functools
import re
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import psutil

from servers import (
    PATIENCE, Missing, Repeated, Server, ab_each, accepts, free_port, has_signal, leavings, shim, tool,
    wait_until
)  # fmt: skip

EVERY = 20  # a worker is recycled when it has served about that many

RACK_APPLICATION = """
run lambda { |_| [200, {"Content-Type" => "text/plain", "Content-Length" => "3"}, ["ok\\n"]] }
"""


def require_perl(module):
    command = [tool("perl"), f"-M{module}", "-e1"]
    if subprocess.run(command, capture_output=True).returncode != 0:
        raise Missing(f"perl's {module} is not installed")


class Known(Server):
    """A server of which `command()` starts one, with `own` set to recycle each worker by itself
    after that many connections or requests, whatever it counts."""

    title = None  # of its profile, which the start line has to name
    is_tried = False  # its master may be none that replaces
    workers_at_start = 4
    ready = None  # a pattern: what its log says when a worker has started
    # A worker that catches it is ready; before, the signal to stop finds the handlers of its master,
    # and some masters then wait for such a worker for long. None: it does not matter.
    ready_signal = None
    shed_signal = None  # one that its master catches, and a worker no more when it is ready

    def __init__(self, environment=None, own=None):
        super().__init__(environment)
        self.own = own
        self.port = free_port()
        self.output = self.directory / "output"  # of the server, standard error included
        self.said = self.directory / "slshim.log"
        self.witness = self.directory / "witness"  # the hooks of a worker that ends append a line
        for file in (self.output, self.said, self.witness):
            file.touch()
            file.chmod(0o666)
        self.environment |= {"SL_LOG": str(self.said), "WITNESS": str(self.witness)}

    def command(self):
        raise NotImplementedError

    def prepare(self):
        """Writes configurations and applications."""

    def log(self):
        """The server's own log."""
        return self.output.read_text(errors="replace")

    def leavings(self):
        return leavings(self.said.read_text())

    def is_answering(self):
        assert self.process.poll() is None, f"it ended:\n{self.log()}"
        return accepts(self.port)

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def find_master(self):
        """strace's child."""
        with contextlib.suppress(psutil.Error, IndexError):
            return psutil.Process(self.process.pid).children()[0]
        return None

    def start(self):
        self.prepare()
        with open(self.output, "a") as output:
            self.spawn(self.command(), True, stdout=output, stderr=output)
        wait_until(self.is_answering, f"it answers, see {self.directory}")
        self.master = wait_until(self.find_master, "there is a master")
        wait_until(lambda: len(self.workers()) >= self.workers_at_start, "all workers are there")

    def tell(self, worker, by):
        worker.send_signal(by)

    def signal_workers(self, by, times=15):
        """One after another, the oldest first, each when the one before has been replaced."""
        for done in range(times):
            came = self.workers_at_start + done
            wait_until(lambda: len(re.findall(self.ready, self.log())) >= came, "all are ready")
            self.tell(min(self.workers(), key=lambda worker: worker.create_time()), by)
            wait_until(lambda: len(self.statuses()) > done, "it ended")

    def is_ready(self, worker):
        with contextlib.suppress(OSError, TypeError):  # it has ended; a zombie has no such line
            catches = functools.partial(has_signal, worker.pid, "SigCgt")
            return catches(self.ready_signal) and not (self.shed_signal and catches(self.shed_signal))
        return False

    def is_settled(self):
        workers = self.workers()
        return len(workers) >= self.workers_at_start and all(map(self.is_ready, workers))

    def stop(self, by=signal.SIGTERM):
        if self.ready_signal:
            wait_until(self.is_settled, "all workers are there and ready")
        return super().stop(by)

    def kinds(self):
        """How many lines of each kind its own log has; what differs from time to time left out."""
        log = self.log().replace(str(self.directory), "DIRECTORY")
        lines = re.sub(r"0x[0-9a-f]+|\d+", "#", log).splitlines()
        return Counter(line.strip() for line in lines if line.strip())


class TwoPorts(Known):
    """One that may listen on another port as well."""

    ports = 1

    def __init__(self, environment=None, own=None):
        super().__init__(environment, own)
        self.other_port = free_port()

    def open_ports(self):
        return [self.port, self.other_port][: self.ports]


class ThreePorts(Known):
    """One with three listeners that gives away files: "ok", and /slow for a SlowDownload."""

    def __init__(self, environment=None, own=None):
        super().__init__(environment, own)
        self.ports = [self.port, free_port(), free_port()]

    def make_files(self):
        """The directory with them."""
        htdocs = self.directory / "htdocs"
        htdocs.mkdir()
        (htdocs / "index.html").write_text("ok\n")
        SlowDownload.make(htdocs / "slow")
        return htdocs

    def ab_each(self, requests):
        return ab_each([f"http://127.0.0.1:{port}/" for port in self.ports], requests)


class Administrator(Repeated):
    """For servers that recycle no worker by themselves: somebody who sends the oldest one their
    graceful signal, again and again."""

    def __init__(self, server, by):
        super().__init__(0.05, self._send)
        self.server, self.by = server, by

    def _send(self):
        with contextlib.suppress(psutil.Error, ValueError):
            min(self.server.workers(), key=lambda worker: worker.create_time()).send_signal(self.by)


class SlowDownload:
    """Of which little is read before finish(). The file is larger than what the kernel keeps for a
    client that does not read."""

    SIZE = 32 * 1024 * 1024

    @classmethod
    def make(cls, path):
        with open(path, "wb") as file:
            file.truncate(cls.SIZE)

    def __init__(self, port):
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._connection.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
        self._received = len(self._connection.recv(1000))

    def finish(self):
        with self._connection:
            while more := self._connection.recv(1 << 20):
                self._received += len(more)
        assert self._received > self.SIZE


@dataclass
class Recycling:
    """What a run came to."""

    recycled: int  # workers
    statuses: Counter
    kinds: Counter
    hooks: int  # lines in the witness
    said: str  # by slshim
    again: Callable = None  # one more such run; of the server's own recycling only

    @property
    def ways(self):
        return {leaving.way for leaving in leavings(self.said)}

    def __str__(self):
        lines = "".join(f"\n  {count} x {kind}" for kind, count in self.kinds.most_common(12))
        return f"{self.recycled} recycled, {dict(self.statuses)}, hooks ran {self.hooks} times{lines}"


def left(server):
    """How many have left by slshim."""
    return len(server.leavings())


def run(server, use, recycled=left, may_lose=False):
    """Starts it, and uses it until `recycled(server)` says that enough were."""
    with server:
        end = time.monotonic() + PATIENCE
        while recycled(server) < 15 and time.monotonic() < end:
            for load in use(server):
                print(f"{load.requests} requests, {load.failed} failed")
                assert load.failed == 0 or may_lose, load.output
        assert server.is_running()
        count = recycled(server)  # before its stop ends the others
        gone = {leaving.pid for leaving in server.leavings()}
        wait_until(lambda: not gone & server.pids(), "they ended")
        wait_until(lambda: len(server.statuses()) >= count, "the master saw them end")
        wait_until(server.is_answering, "it still answers")
        result = Recycling(
            count,
            Counter(server.statuses()),
            server.kinds(),
            len(server.witness.read_text().splitlines()),
            server.said.read_text(),
        )
        print(result)
        server.stop()
        return result


def by_hand(use, by):
    """For run_own, where a server does not recycle by itself: its workers are sent, while it is
    used, the signal by which they end in order."""

    def use_and_signal(server):
        loads = []
        with ThreadPoolExecutor(1) as pool:
            signalled = pool.submit(server.signal_workers, by)
            while not signalled.done():
                loads += use(server)
            signalled.result()
        return loads

    return use_and_signal


def administered(use, by):
    """For run_own, as by_hand, where the log does not tell when a worker is ready."""

    def use_and_send(server):
        with Administrator(server, by):
            return use(server)

    return use_and_send


def run_own(make, use, may_lose=False):
    """By the server itself: make(environment, own). It may lose connections if the test says so."""

    def own():
        result = run(make({}, EVERY), use, lambda server: len(server.statuses()), may_lose)
        return replace(result, again=own)

    return own()


def run_shimmed(make, use, **variables):
    """By slshim; every leaving goes the way of the profile that the start line names."""
    environment = shim(**({"SL_MAX_CONNECTIONS": EVERY} | variables))
    server = make(environment, None)
    result = run(server, use)
    assert f"({server.title})" in result.said
    assert ("leaves on trial first" in result.said) == server.is_tried
    # Before its stop leaves orphans.
    assert re.findall(".* is over a limit and stays .*", result.said) == []
    return result


def seen_again(own, kinds):
    """With up to five more runs while it lacks one of these kinds, because what a server logs by
    chance (spamd: a wait that another child's end interrupts) it does not log in each run."""
    for _ in range(5):
        if kinds <= set(own.kinds):
            break
        more = own.again()
        own = replace(own, recycled=own.recycled + more.recycled, kinds=own.kinds + more.kinds)
    return own


def expect_alike(own, shimmed, hooks=True, slack=1.5):
    """As clean as its own recycling: no status, no kind of line that this does not make, and no
    more of them for each worker that was recycled, but for the few that tell of other things."""
    assert shimmed.recycled >= 15
    assert set(shimmed.statuses) <= set(own.statuses)
    own = seen_again(own, set(shimmed.kinds))
    assert set(shimmed.kinds) <= set(own.kinds), set(shimmed.kinds) - set(own.kinds)
    for kind, count in shimmed.kinds.items():
        share = own.kinds[kind] / max(own.recycled, 1)
        assert count <= share * shimmed.recycled * slack + 8, kind
    if hooks:
        assert shimmed.hooks >= shimmed.recycled


def expect_undisturbed(server, use):
    """Two slow downloads go on while workers leave, and are finished after that; a connection that
    had to wait until then would fail."""
    with server:
        downloads = [SlowDownload(server.port) for _ in range(2)]
        end = time.monotonic() + PATIENCE
        while left(server) < 15 and time.monotonic() < end:
            for load in use(server):
                load.expect_good()
        assert left(server) >= 15
        for download in downloads:
            download.finish()
        assert set(server.statuses()) == {"exited 0"}


def expect_reload(server, by, use):
    """The workers that come with a reload, at whatever moment, are watched as those before."""

    def use_until(condition):
        end = time.monotonic() + PATIENCE
        while not condition() and time.monotonic() < end:
            for load in use(server):
                load.expect_good()
        assert condition()

    with server:
        use_until(lambda: left(server) >= 5)
        before = server.pids()
        server.master.send_signal(by)
        use_until(lambda: not before & server.pids())
        count = left(server)
        use_until(lambda: left(server) >= count + 15)
        assert set(server.statuses()) == {"exited 0"}
