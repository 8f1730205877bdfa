"""gunicorn, with each of its kinds of worker."""

import pytest

from known import Known, expect_alike, run_own, run_shimmed
from servers import ab, sessions, tool

APPLICATION = """
import atexit, os

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\\n"]
"""

CONFIGURATION = """
import atexit, os

def note():
    with open(os.environ["WITNESS"], "a") as witness:
        witness.write("worker_exit\\n")

def worker_exit(server, worker):
    note()
"""


class Gunicorn(Known):
    title = "gunicorn"
    options = ()

    def prepare(self):
        (self.directory / "application.py").write_text(APPLICATION)
        (self.directory / "gunicorn.conf.py").write_text(CONFIGURATION)

    def command(self):
        own = ["--max-requests", self.own] if self.own else []
        bind = f"127.0.0.1:{self.port}"
        return map(str, [tool("gunicorn"), "-b", bind, "-w", 4, *self.options, *own, "application"])


@pytest.mark.parametrize("kind", ["sync"])
def test_gunicorn(kind):
    def make(environment, own):
        server = Gunicorn(environment, own)
        server.options = ["-k", kind]
        return server

    def use(server):
        return [ab(server.url(), 1000)]

    expect_alike(run_own(make, use), run_shimmed(make, use))
