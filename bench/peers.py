"""Servers with a pool of fixed size, and what they come to under as many clients with one-shot
connections, for the paired runs: how many workers were recycled meanwhile, too, whoever did it."""

import sys
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "end_to_end"))

from pairs import run_of
from servers import Httpd, Repeated, Server, free_port, get, tool, wait_until, wrk


class Births(Repeated):
    """Counts the children that a master has had, beyond those it had at first."""

    def __init__(self, master):
        super().__init__(0.05, self._note)
        self._children = Path(f"/proc/{master}/task/{master}/children")
        self._first = self._seen = self._now()

    def _now(self):
        return set(self._children.read_text().split())

    def _note(self):
        self._seen = self._seen | self._now()

    @property
    def count(self):
        return len(self._seen - self._first)


def measuring(make, seconds, path="/"):
    """A measurement of variants: what make() takes."""

    def measure(variant):
        with make(*variant) as server:
            workers = server.workers_at_start
            wait_until(lambda: len(server.workers()) >= workers, "all workers are there")
            with Births(server.master.pid) as births:
                load = wrk(server.url(path), seconds, workers, keep_alive=False)
        return run_of(load, births.count)

    return measure


def httpd(environment, config="", modules=(), workers=8):
    pool = f"""
MaxSpareServers {workers}
MinSpareServers {workers}
ServerLimit {workers}
MaxRequestWorkers {workers}
"""
    return Httpd(environment, 1, modules, pool + config, workers_at_start=workers)


# Each request does a little work, and leaks.
APPLICATION = """
leak, size = [], {leaked_kb} << 10

def application(environ, start_response):
    leak.append(b"x" * size)
    sum(range(2000))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3"),
                              ("Connection", "close")])
    return [b"ok\\n"]
"""


class Wsgi(Server):
    """A server of that application. In the words of its command line, ADDRESS is where it listens."""

    def __init__(self, environment, words, workers, leaked_kb):
        super().__init__(environment)
        self.workers_at_start = workers
        self.port = free_port()
        self.words = [str(word).replace("ADDRESS", f"127.0.0.1:{self.port}") for word in words]
        (self.directory / "application.py").write_text(APPLICATION.format(leaked_kb=leaked_kb))

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def _answers(self):
        assert self.process.poll() is None, f"it ended, see {self.directory}/output"
        try:
            return get(self.url())
        except OSError:
            return False

    def start(self):
        with open(self.directory / "output", "a") as output:
            self.spawn(self.words, stdout=output, stderr=output)
        self.master = psutil.Process(self.process.pid)
        wait_until(self._answers, f"it answers, see {self.directory}/output")


def gunicorn(environment, options=(), workers=8, leaked_kb=0):
    words = [tool("gunicorn"), "-b", "ADDRESS", "-w", workers, *options, "application"]
    return Wsgi(environment, words, workers, leaked_kb)


def uwsgi(environment, options=(), workers=8, leaked_kb=0):
    words = [tool("uwsgi"), "--plugin", "python3", "--master", "--disable-logging"]
    words += ["--http-socket", "ADDRESS", "--processes", workers, "--wsgi-file", "application.py"]
    return Wsgi(environment, words + list(options), workers, leaked_kb)
