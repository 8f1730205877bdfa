"""gunicorn, with each of its kinds of worker, against its own max_requests.

That one has threads cut kept-alive connections (a quarter of them): there the reference is a run with
a connection for each request, and the run with slshim loses none."""

import functools
import signal

import pytest

from known import EVERY, Known, expect_alike, run_own, run_shimmed
from servers import ab, sessions, shim, tool

APPLICATION = """
import atexit, os

def note(hook):
    with open(os.environ["WITNESS"], "a") as witness:
        witness.write(f"{os.getpid()} {hook}\\n")

atexit.register(note, "atexit")

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\\n"]
"""

CONFIGURATION = """
import os

def worker_exit(server, worker):
    with open(os.environ["WITNESS"], "a") as witness:
        witness.write(f"{os.getpid()} worker_exit\\n")
"""
HOOKS = 2


class Gunicorn(Known):
    workers_at_start = 8
    ready_signal = signal.SIGABRT
    options = ()

    def prepare(self):
        (self.directory / "application.py").write_text(APPLICATION)
        (self.directory / "gunicorn.conf.py").write_text(CONFIGURATION)

    def command(self):
        words = [tool("gunicorn"), "-b", f"127.0.0.1:{self.port}", "-w", self.workers_at_start]
        words += [*self.options, *(["--max-requests", self.own] if self.own else []), "application"]
        return map(str, words)


VARIANTS = {
    "sync": ("-k", "sync"),
    "gthread": ("-k", "gthread", "--threads", 4),
    "gthread, preload": ("-k", "gthread", "--threads", 4, "--preload"),
    "gevent": ("-k", "gevent"),
}


def one_shot(server):
    return [ab(server.url(), 500)]


def kept_alive(server):
    return [sessions(server.port, 200)]


def make(variant, environment, own):
    server = Gunicorn(environment, own)
    server.options = VARIANTS[variant]
    server.title = "gunicorn gevent" if variant == "gevent" else "gunicorn"
    return server


@functools.cache
def own_run(variant):
    return run_own(functools.partial(make, variant), one_shot)


def compare(variant, use):
    shimmed = run_shimmed(functools.partial(make, variant), use, SL_MAX_LEAVING=4)
    expect_alike(own_run(variant), shimmed)
    assert shimmed.hooks >= HOOKS * shimmed.recycled


@pytest.mark.parametrize("variant", VARIANTS)
def test_gunicorn(variant):
    compare(variant, one_shot)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if "sync" not in name])
def test_kept_alive(variant):
    compare(variant, kept_alive)


def test_never_idle():
    """With so many clients a worker of gevent has always a connection open: it leaves all the same,
    and finishes what is open."""
    server = make("gevent", shim(SL_MAX_CONNECTIONS=EVERY, SL_MAX_LEAVING=2), None)
    server.workers_at_start = 4
    with server:
        sessions(server.port, 4000, requests=20, clients=32).expect_good()
        assert len(server.leavings()) >= 15
        server.stop()
