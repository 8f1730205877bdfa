"""gunicorn, with each class of workers that it and others have for it, against its own max_requests.

That one cuts kept-alive connections in most classes (a quarter of them with threads), and one-shot
ones in some, from gunicorn 23 on in that with threads: there the reference is a run with a connection
for each request, which may lose some, and the runs with slshim lose none.

From uvicorn 0.29 on a worker ends by the SIGTERM that it was sent, whoever sent it, and its hooks do
not run: there the reference is a run in which it is sent by hand."""

import contextlib
import functools
import re
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from known import EVERY, Known, by_hand, expect_alike, run_own, run_shimmed
from marks import long, long_but
from servers import (
    ab, load_until, load_until_left, rounds_of, sessions, shim, tool, wait_until
)  # fmt: skip

NOTE = """
import atexit, os

def note(hook):
    with open(os.environ["WITNESS"], "a") as witness:
        witness.write(f"{os.getpid()} {hook}\\n")

atexit.register(note, "atexit")
"""

WSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\\n"]
"""

ASGI = """
async def application(scope, receive, send):
    while scope["type"] == "lifespan":
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
    headers = [(b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok\\n"})
"""

AIOHTTP = """
from aiohttp import web

async def answer(request):
    return web.Response(text="ok\\n")

async def application():
    application = web.Application()
    application.router.add_get("/", answer)
    return application
"""

SUBCLASS = """
from gunicorn.workers.gthread import ThreadWorker

class Worker(ThreadWorker):
    pass
"""

OTHER_CLASS = """
from gunicorn.workers.base import Worker as Base

class Worker(Base):
    def run(self):
        while self.alive:
            self.notify()
            self.sockets[0].setblocking(True)
            client, address = self.sockets[0].accept()
            client.recv(1000)
            client.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n")
            client.close()
"""

CONFIGURATION = """
import os

def worker_exit(server, worker):
    with open(os.environ["WITNESS"], "a") as witness:
        witness.write(f"{os.getpid()} worker_exit\\n")
"""
HOOKS = 2


def waits_for_listener(pid):
    """Has it an epoll set with more in it than its own waker?"""
    with contextlib.suppress(OSError):
        sets = Path(f"/proc/{pid}/fdinfo").iterdir()
        return any(len(re.findall(r"^tfd:", entry.read_text(), re.MULTILINE)) > 1 for entry in sets)
    return False


class Gunicorn(Known):
    workers_at_start = 8
    ready_signal = signal.SIGABRT
    options = ()
    application = WSGI
    configuration = ""
    worker = ""  # the module of a class of one's own

    def prepare(self):
        (self.directory / "application.py").write_text(NOTE + self.application)
        (self.directory / "gunicorn.conf.py").write_text(CONFIGURATION + self.configuration)
        (self.directory / "own.py").write_text(self.worker)

    def start(self):
        """One that is there before the others is alone, and does not drain; eventlet's take seconds
        of processor time to come."""
        super().start()
        wait_until(self.is_settled, "all workers are ready")

    def is_ready(self, worker):
        """tornado's takes a signal only once it waits for its listener: before that it forgets it."""
        return super().is_ready(worker) and (
            "tornado" not in self.title or waits_for_listener(worker.pid)
        )

    def command(self):
        words = [tool("gunicorn"), "-b", f"127.0.0.1:{self.port}", "-w", self.workers_at_start]
        words += [*self.options, *(["--max-requests", self.own] if self.own else []), "application"]
        return map(str, words)


@dataclass
class Variant:
    """How its class is set, and what it takes for."""

    title: str
    options: tuple = ()
    application: str = WSGI
    configuration: str = ""
    worker: str = ""
    command: str = ""  # GUNICORN_CMD_ARGS

    def make(self, environment, own=None):
        server = Gunicorn(environment, own)
        if self.command:
            server.environment["GUNICORN_CMD_ARGS"] = self.command
        server.title = self.title
        if "uvicorn" in self.title:
            server.ready_signal, server.shed_signal = signal.SIGTERM, signal.SIGHUP
            server.ready = "Application startup complete"
        for name in ("options", "application", "configuration", "worker"):
            setattr(server, name, getattr(self, name))
        return server


THREADS = ("--threads", 4)
# When all is over, a worker of uvicorn 0.32 now and then does not end, without slshim, too.
ENDS_SOON = ("--graceful-timeout", 10)
VARIANTS = {
    "sync": Variant("gunicorn sync", ("-k", "sync")),
    "gthread": Variant("gunicorn gthread", ("-k", "gthread", *THREADS)),
    "gthread, preload": Variant("gunicorn gthread", ("-k", "gthread", *THREADS, "--preload")),
    "gevent": Variant("gunicorn gevent", ("-k", "gevent")),
    "eventlet": Variant("gunicorn eventlet", ("-k", "eventlet")),
    "tornado": Variant("gunicorn tornado", ("-k", "tornado")),
    "uvicorn, uvloop": Variant(
        "gunicorn uvicorn", ("-k", "uvicorn.workers.UvicornWorker", *ENDS_SOON), ASGI
    ),
    "uvicorn, asyncio": Variant(
        "gunicorn uvicorn", ("-k", "uvicorn.workers.UvicornH11Worker", *ENDS_SOON), ASGI
    ),
    "aiohttp": Variant("gunicorn aiohttp", ("-k", "aiohttp.GunicornWebWorker"), AIOHTTP),
}
# However the class was set.
SET_ELSEWHERE = {
    "by threads": Variant("gunicorn gthread", THREADS),
    "in gunicorn.conf.py": Variant("gunicorn gevent", configuration='worker_class = "gevent"\n'),
    "in GUNICORN_CMD_ARGS": Variant("gunicorn tornado", command="--worker-class tornado"),
    "as a subclass": Variant("gunicorn gthread", ("-k", "own.Worker"), worker=SUBCLASS),
    "not at all": Variant("gunicorn sync"),
}


def one_shot(server):
    return [ab(server.url(), 500)]


def kept_alive(server):
    return [sessions(server.port, 200)]


def make(variant, environment, own=None):
    return VARIANTS[variant].make(environment, own)


@functools.cache
def own_run(variant):
    if "uvicorn" in variant:
        without_own = lambda environment, own: make(variant, environment)  # noqa: E731
        return run_own(without_own, by_hand(one_shot, signal.SIGTERM), may_lose=True)
    may_lose = variant not in ("sync", "gevent")
    return run_own(functools.partial(make, variant), one_shot, may_lose)


def compare(variant, use):
    shimmed = run_shimmed(functools.partial(make, variant), use, SL_MAX_LEAVING=4)
    own = own_run(variant)
    expect_alike(own, shimmed, hooks=own.hooks > 0)
    assert shimmed.hooks >= HOOKS * shimmed.recycled or own.hooks == 0


ONE_SHOT = ["sync", "gthread", "gevent", "tornado", "uvicorn, uvloop", "aiohttp"]
COMPUTES = pytest.param("eventlet", marks=pytest.mark.alone)  # for seconds before it accepts


@pytest.mark.parametrize(
    "variant", [*ONE_SHOT, COMPUTES, *long("gthread, preload", "uvicorn, asyncio")]
)
def test_gunicorn(variant):
    compare(variant, one_shot)


@pytest.mark.parametrize("variant", long_but(["gthread", "uvicorn, uvloop"], list(VARIANTS)[1:]))
def test_kept_alive(variant):
    compare(variant, kept_alive)


def test_own_recycling_cuts_connections():
    """With threads, the max_requests that is only a reference above; slshim cuts none there."""
    with make("gthread", {}, EVERY) as server:
        failed = lambda: sum(load.failed for load in kept_alive(server))  # noqa: E731
        wait_until(failed, "a connection was cut")
        server.stop()


@pytest.mark.parametrize(
    "variant", long_but(["by threads", "in gunicorn.conf.py", "as a subclass"], SET_ELSEWHERE)
)
def test_class_that_is_set_elsewhere(variant):
    variant = SET_ELSEWHERE[variant]
    with variant.make(shim(SL_MAX_CONNECTIONS=EVERY)) as server:
        load_until_left(server, 2, lambda server: ab(server.url(), 500))
        assert f"({variant.title})" in server.said.read_text()
        server.stop()


def test_other_class():
    """Nobody has tried it, so its workers stay."""
    variant = Variant("gunicorn", ("-k", "own.Worker"), worker=OTHER_CLASS)
    reason = "the profile of this server, forbids it to leave"
    with variant.make(shim(SL_MAX_CONNECTIONS=EVERY)) as server:
        load_until(server, lambda: reason in server.said.read_text(), rounds_of(200))
        assert server.leavings() == []


def test_never_idle():
    """With so many clients a worker of gevent has always a connection open: it leaves all the same,
    and finishes what is open."""
    server = make("gevent", shim(SL_MAX_CONNECTIONS=EVERY, SL_MAX_LEAVING=2))
    server.workers_at_start = 4
    with server:
        load_until_left(server, 15, lambda server: sessions(server.port, 500, requests=20, clients=32))
        server.stop()
