"""uWSGI with a Python application: with and without its lock around accept, with
connections that are kept alive, as a daemon, and without a master.

It is compared with its own reload of its workers, of which the master sends each a SIGHUP. One that
is idle then ends with status 17, one that serves with status 30: so do all that leave at a close.
(Its max-requests says other words on the log.)"""

import os
import signal

import psutil
import pytest

from known import EVERY, Known, expect_alike, run_own, run_shimmed
from marks import long_but
from servers import (
    ab, get, load_until, load_until_left, rounds_of, sessions, shim, tool, wait_until
)  # fmt: skip

APPLICATION = """
import atexit, os, uwsgi

def note(hook):
    with open(os.environ["WITNESS"], "a") as witness:
        witness.write(f"{os.getpid()} {hook}\\n")

atexit.register(note, "atexit")
uwsgi.atexit = lambda: note("uwsgi.atexit")

def application(environ, start_response):
    if environ["PATH_INFO"] == "/work":
        sum(range(20000))
    headers = [("Content-Type", "text/plain"), ("Content-Length", "3")]
    if "http11" not in os.environ["PROTOCOL"] or environ.get("HTTP_CONNECTION") == "close":
        headers.append(("Connection", "close"))
    start_response("200 OK", headers)
    return [b"ok\\n"]
"""
LATER = 1 << 32


class Uwsgi(Known):
    title = "uWSGI"
    is_tried = True
    workers_at_start = 16
    ready_signal = signal.SIGPIPE
    options = ()
    protocol = "http-socket"

    def prepare(self):
        self.touched = self.directory / "touched"
        self.touched.touch()
        self.environment["PROTOCOL"] = self.protocol
        (self.directory / "application.py").write_text(APPLICATION)

    def command(self):
        words = [tool("uwsgi"), "--plugin", "python3", "--die-on-term", "--disable-logging"]
        words += ["--processes", self.workers_at_start, "--wsgi-file", "application.py"]
        words += [f"--{self.protocol}", f"127.0.0.1:{self.port}", *self.options]
        words += ["--touch-workers-reload", self.touched] * bool(self.own)
        return map(str, words)

    def reload_workers(self):
        """Once; it looks at the whole seconds of the file's time. A worker that is told before it is
        ready does as its master would, and does not end before it is killed a minute later."""
        wait_until(self.is_settled, "all workers are ready")
        wait_until(self.waits_for_workers, "its master remembers the file's time from before")
        if self.touched.stat().st_mtime < LATER:
            os.utime(self.touched, (LATER, LATER))

    def waits_for_workers(self):
        return "wait4(-1," in (self.directory / "waits").read_text()


VARIANTS = {
    "plain": (),
    "thunder-lock": ("--thunder-lock",),
    "lazy-apps": ("--lazy-apps",),
}
MASTER = ("--master", "--forkbomb-delay", 0)
variants = pytest.mark.parametrize("variant", long_but(["plain", "thunder-lock"], VARIANTS))


def compare(variant, protocol, load):
    def make(environment, own):
        server = Uwsgi(environment, own)
        server.options = (*MASTER, *VARIANTS[variant])
        server.protocol = protocol
        return server

    def use(server):
        if not server.own:
            return [load(server, 8)]
        server.reload_workers()
        return [load(server, 1)]

    own = run_own(make, use, may_lose=True)  # its own reload has been seen to lose one of 300
    shimmed = run_shimmed(make, use, SL_MAX_LEAVING=8)
    assert set(shimmed.statuses) == {"exited 30"}
    own.statuses["exited 30"] += 1
    expect_alike(own, shimmed)
    assert shimmed.hooks >= 2 * shimmed.recycled


@variants
def test_uwsgi(variant):
    compare(
        variant,
        "http-socket",
        lambda server, clients: sessions(server.port, 300, 1, clients, "/work"),
    )


@pytest.mark.parametrize("variant", ["plain", "thunder-lock"])
def test_kept_alive(variant):
    """Its own reload cuts such connections where they are idle: nothing to compare with."""

    def make(environment, own):
        server = Uwsgi(environment)
        server.options = (*MASTER, *VARIANTS[variant])
        server.protocol = "http11-socket"
        return server

    result = run_shimmed(make, lambda server: [sessions(server.port, 200)], SL_MAX_LEAVING=8)
    assert result.recycled >= 15
    assert set(result.statuses) == {"exited 30"}


def test_default_pace():
    """As comes with the defaults. When more workers than there are have left within a second of
    each other, the master takes them for a fork bomb and sleeps for two seconds: the others serve
    meanwhile, and none is lost for good."""
    server = Uwsgi(shim(SL_MAX_CONNECTIONS=EVERY))
    server.workers_at_start = 4
    server.options = ("--master",)
    with server:
        fast = "worker respawning too fast"
        load_until(server, lambda: fast in server.log(), rounds_of(200))
        ab(server.url(), 1000).expect_good()
        server.stop()


class Daemon(Uwsgi):
    """It logs to a file, and its master has another pid than what was started."""

    options = ("--master", "--forkbomb-delay", 0)

    def command(self):
        return [*super().command(), "--daemonize", str(self.output), "--pidfile", "pid"]

    def start(self):
        self.prepare()
        self.spawn(self.command())
        self.process.wait(30)
        wait_until(self.is_answering, f"it answers, see {self.directory}")
        self.master = psutil.Process(int((self.directory / "pid").read_text()))

    def is_answering(self):
        return "spawned uWSGI worker 16" in self.log()

    def stop(self, by=signal.SIGTERM):
        wait_until(self.is_settled, "all workers are ready")
        self.master.send_signal(by)
        wait_until(lambda: not self.is_running(), "it stopped")


def test_daemon():
    with Daemon(shim(SL_MAX_CONNECTIONS=EVERY, SL_MAX_LEAVING=8)) as server:
        load_until_left(server, 15, rounds_of(500))
        assert get(server.url()) == "ok\n"
        server.stop()


STAYS = {
    "without a master": (("--processes", 4), "HUP@close", "its parent accepts as well"),
    "threads": (("--master", "--threads", 4), "none", "SL_LEAVE, or the profile"),
    "threads by a file": (("--ini", "uwsgi.ini"), "none", "SL_LEAVE, or the profile"),
}


@pytest.mark.parametrize("case", STAYS)
def test_stays(case):
    """Without a master nobody would replace a worker. With threads it cancels them wherever they
    are, and may then wait for what they held: so in its own reload, too."""
    options, way, reason = STAYS[case]
    server = Uwsgi(shim(SL_MAX_CONNECTIONS=EVERY))
    server.workers_at_start = 3  # children; without a master the fourth is the first process
    server.options = options
    (server.directory / "uwsgi.ini").write_text("[uwsgi]\nmaster = true\nthreads = 2\n")
    with server:
        before = server.pids()
        stays = f"stays (exit method {way}): {reason}"
        load_until(server, lambda: stays in server.said.read_text(), rounds_of(1000))
        ab(server.url(), 5000).expect_good()
        assert server.pids() >= before
        assert server.leavings() == []
        assert ("(uWSGI with threads)" in server.said.read_text()) == (way == "none")
