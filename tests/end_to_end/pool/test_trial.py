"""What a trial costs: one worker at most, ever, whatever the master does when workers crash."""

import contextlib
import signal
import time
from pathlib import Path

import psutil

from servers import Missing, Server, ab, free_port, get, shim, wait_until

TORNADO = """
import sys
import tornado.httpserver, tornado.ioloop, tornado.web

class Handler(tornado.web.RequestHandler):
    def get(self):
        self.write("ok\\n")

server = tornado.httpserver.HTTPServer(tornado.web.Application([("/.*", Handler)]))
server.bind(int(sys.argv[1]), "127.0.0.1")
server.start(4)
tornado.ioloop.IOLoop.current().start()
"""


class Tornado(Server):
    """fork_processes: it restarts a child that crashed, never one that ended with status 0."""

    workers_at_start = 4

    def start(self):
        if not Path("/usr/lib/python3/dist-packages/tornado").exists():
            raise Missing("python3-tornado is not installed")
        self.port = free_port()
        (self.directory / "server.py").write_text(TORNADO)
        self.output = self.directory / "output"
        with open(self.output, "w") as output:
            self.spawn(["/usr/bin/python3", "server.py", str(self.port)], stdout=output, stderr=output)
        self.master = psutil.Process(self.process.pid)
        self.wait_until_settled(self.workers_at_start)
        wait_until(self.is_answering, "it answers")

    def is_answering(self):
        with contextlib.suppress(OSError):
            return get(self.url()) == "ok\n"
        return False

    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def log(self):
        return self.output.read_text()

    def load(self, requests=400):
        ab(self.url(), requests).expect_good()


def test_master_that_replaces_failures_is_told_one():
    """By default it allows for 100 of them in all."""
    with Tornado(shim(SL_MAX_CONNECTIONS=20, SL_LEAVE="_exit:1@idle")) as server:
        for _ in range(60):
            server.load(100)
            if len(left := server.leavings()) >= 15:
                break
        assert 15 <= len(left) < 50
        assert {leaving.way for leaving in left} == {"_exit:1@idle"}
        assert "stays" not in server.log()
        wait_until(lambda: len(server.workers()) == 4, "all are replaced")


def crash(server):
    """One of the workers; the master starts another one, which comes to accept."""
    before = server.workers()
    before[0].send_signal(signal.SIGKILL)
    wait_until(lambda: not before[0].is_running(), "it ended")
    wait_until(lambda: len(server.workers()) == len(before), "it was replaced")


def test_master_that_replaces_only_the_crashed_loses_one():
    """Under load all the time; some crash while the trial is open, one after the other, and others
    when it has run out."""
    with Tornado(shim(SL_MAX_CONNECTIONS=3)) as server:
        server.load()
        wait_until(lambda: server.leavings(), "one left on trial")
        for _ in range(2):
            crash(server)
            server.load()
        ends = time.monotonic() + 10  # SL_REPLACE_TIMEOUT, as it comes
        while time.monotonic() < ends:
            server.load()
        for _ in range(6):
            crash(server)
            server.load()
            server.load()
        assert len(server.workers()) == 3
        assert len(server.leavings()) == 1
        assert server.log().count("no new worker came to accept") == 1
        assert server.is_answering()
