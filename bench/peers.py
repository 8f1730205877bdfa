"""Servers with a pool of fixed size, and what they come to under one-shot connections, for the paired
runs: how many workers were recycled meanwhile, too, whoever did it."""

import contextlib
import re
import statistics
import sys
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "end_to_end"))

from pairs import Run
from servers import Httpd, Repeated, Server, free_port, get, tool, wait_until, wrk

# ---------------------------------------------------------------------- load


def _milliseconds(pattern, text):
    value, unit = re.search(pattern + r" +([\d.]+)(us|ms|s|m)\b", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1000, "m": 60000}[unit]


def saturate(server, path, seconds, keep_alive=False):
    """As many clients as workers, each with a connection after the other: what the server can do."""
    return run_of(wrk(server.url(path), seconds, server.workers_at_start, keep_alive))


def run_of(load):
    """What wrk said."""
    return Run(
        load.rate,
        _milliseconds("50%", load.output),
        _milliseconds("99%", load.output),
        _milliseconds(r"Latency +\S+ +\S+", load.output),
        load.failed,
    )


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


def wait_for_workers(server):
    count = server.workers_at_start
    wait_until(lambda: len(server.workers()) >= count, "all workers are there")


def measuring(make, seconds, path="/"):
    """A measurement of variants: what make() takes."""

    def measure(variant):
        with make(*variant) as server:
            wait_for_workers(server)
            with Births(server.master.pid) as births:
                run = saturate(server, path, seconds)
        run.recycled = births.count
        return run

    return measure


def _sum_up(runs):
    """Of parts that are as long as each other."""
    return Run(
        statistics.mean(run.rate for run in runs),
        statistics.median(run.typical for run in runs),
        statistics.median(run.slow for run in runs),
        max(run.worst for run in runs),
        sum(run.failed for run in runs),
    )


def side_by_side(make, seconds, path):
    """For rounds(): all of its servers are up, and are loaded for a second each in turn. Few things
    change within a second; what is to be told apart may be less than what changes in a minute."""

    def measure_all(variants):
        runs = {name: [] for name in variants}
        with contextlib.ExitStack() as stack:
            servers = {name: stack.enter_context(make(*v)) for name, v in variants.items()}
            for server in servers.values():
                wait_for_workers(server)
            for second in range(seconds):
                for name in list(servers) if second % 2 == 0 else reversed(servers):
                    runs[name].append(saturate(servers[name], path, 1))
        return {name: _sum_up(parts) for name, parts in runs.items()}

    return measure_all


# ------------------------------------------------------------------- servers


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
