"""fcgiwrap behind nginx, with a socket of its own and under spawn-fcgi: left alone. Its master, up
to 1.1.0, replaces nobody before all are gone, and waits for that without a pause."""

import re

import psutil
import pytest

from nginx import FastcgiServer
from servers import ab, leavings, sessions, shim, tool, wait_until

SCRIPT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\nok\\n'\n"


class Fcgiwrap(FastcgiServer):
    title = "fcgiwrap"
    says_why = 1

    @property
    def script(self):
        return self.directory / "hello"

    @property
    def socket(self):
        return self.directory / "socket"

    def prepare(self):
        self.script.write_text(SCRIPT)
        self.script.chmod(0o755)

    def command(self):
        """nginx's workers may be of another user."""
        return ["sh", "-c", f"umask 0; exec {tool('fcgiwrap')} -c 4 -s unix:{self.socket}"]


class Spawned(Fcgiwrap):
    def command(self):
        spawn = [tool("spawn-fcgi"), "-n", "-s", str(self.socket), "-M", "0666"]
        return [*spawn, "--", tool("fcgiwrap"), "-c", "4"]


class Orphans(Fcgiwrap):
    """spawn-fcgi -F: each in a session of its own, and without a master."""

    title = "spawn-fcgi"
    says_why = 0

    def command(self):
        """spawn-fcgi ends when it has started them: `sleep` only stands where the other two have
        their first process, until the server is stopped."""
        spawn = f"{tool('spawn-fcgi')} -F 4 -s {self.socket} -M 0666 -- {tool('fcgiwrap')}"
        return ["sh", "-c", f"{spawn} && exec sleep infinity"]

    def workers(self):
        """spawn-fcgi tells their pids."""
        pids = map(int, re.findall(r"successfully: PID: (\d+)", self.log()))
        return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]

    def __exit__(self, *_):
        for worker in self.workers():
            worker.kill()
        super().__exit__()


@pytest.mark.parametrize("requests", [0, 5], ids=["one request", "kept alive"])
@pytest.mark.parametrize("server_class", [Fcgiwrap, Spawned, Orphans])
def test_left_alone(server_class, requests):
    server = server_class(shim(SL_MAX_CONNECTIONS=5))
    server.requests = requests
    with server:
        before = server.pids()
        assert len(before) == 4
        for load in [ab(server.url(), 600, clients=4), sessions(server.port, 40, clients=4)]:
            load.expect_good()
        assert server.pids() == before
        said = server.said.read_text()
        assert leavings(said) == []
        assert f"their exit method is none ({server.title})" in said
        assert said.count("is over a limit and stays") == server.says_why


def test_why():
    """Of four workers three are gone, and none is replaced; of four, and all are."""
    with Fcgiwrap() as server:
        workers = server.workers()
        for worker in workers[:3]:
            worker.kill()
        wait_until(lambda: busy_seconds(server.master) > 0.3, "its master spins")
        wait_until(lambda: server.workers() == workers[3:], "one is left")
        assert len(server.statuses()) == 3
        workers[3].kill()
        wait_until(lambda: len(server.workers()) == 4, "all are replaced")


def busy_seconds(process):
    times = process.cpu_times()
    return times.user + times.system
