#!/usr/bin/env python3
"""Recycling under load by slshim, and by what the servers bring, at an equal rate: each worker of an
application that leaks ends once in a run, half-way through, when it has grown so much, or served as
many as make it grow so much. One-shot connections, as many clients as workers, paired runs.

httpd and mod_perl: MaxConnectionsPerChild and Apache2::SizeLimit. gunicorn: max_requests, with and
without jitter. uWSGI: max-requests and reload-on-rss."""

import statistics
from functools import partial

from pairs import arguments, report, rounds
from peers import gunicorn, httpd, measuring, uwsgi
from servers import ab, growing, shim

WORKERS, LEAKED_KB = 4, 16
MB = 1 << 20
SIZELIMIT = """
PerlModule Apache2::SizeLimit
<Perl>
    Apache2::SizeLimit->set_max_process_size({kb});
</Perl>
PerlCleanupHandler Apache2::SizeLimit
"""


def fresh(server, path, figure):
    """Bytes that workers have who have served a few requests; what these leaked is not in it."""
    requests = 10 * WORKERS
    with server:
        ab(server.url(path), requests, WORKERS)
        sizes = [getattr(worker.memory_full_info(), figure) for worker in server.workers()]
    return statistics.mean(sizes) - requests / WORKERS * LEAKED_KB * 1024


class Compared:
    """A server, what makes it, and the limits at which its workers end half-way through a run."""

    def __init__(self, name, make, seconds, path="/"):
        self.name, self.make, self.seconds, self.path = name, make, seconds, path
        self.measure = measuring(make, seconds, path)
        rate = self.measure(({},)).rate
        self.connections = int(rate * seconds / WORKERS / 2)

    def grown(self, figure):
        return int(fresh(self.make({}), self.path, figure)) + self.connections * LEAKED_KB * 1024

    def run(self, pairs, variants):
        variants = {"no recycling": ({},)} | variants
        title = f"{self.name}, {WORKERS} workers, runs of {self.seconds} s"
        results = rounds(variants, pairs, self.measure)
        report(f"recycling_{self.name}", title, results)


def compare_httpd(asked):
    def make(environment, config=""):
        return httpd(environment, growing(0, LEAKED_KB) + config, ("perl",), WORKERS)

    compared = Compared("httpd", make, asked.seconds, "/grow")
    size, unshared = compared.grown("vms"), compared.grown("uss")
    own = f"MaxConnectionsPerChild {compared.connections}"
    variants = {
        "slshim": (shim(SL_MAX_UNSHARED=unshared // 1024),),
        own: ({}, own),
        "Apache2::SizeLimit": ({}, SIZELIMIT.format(kb=size // 1024)),
    }
    compared.run(asked.pairs, variants)


def compare_gunicorn(asked):
    make = partial(gunicorn, workers=WORKERS, leaked_kb=LEAKED_KB)
    compared = Compared("gunicorn", make, asked.seconds)
    many = compared.connections
    own = ("--max-requests", many)
    variants = {
        "slshim": (shim(SL_MAX_RSS=compared.grown("rss") // 1024),),
        f"max_requests {many}": ({}, own),
        "the same, jitter a fifth": ({}, (*own, "--max-requests-jitter", many // 5)),
    }
    compared.run(asked.pairs, variants)


def compare_uwsgi(asked):
    make = partial(uwsgi, workers=WORKERS, leaked_kb=LEAKED_KB)
    compared = Compared("uWSGI", make, asked.seconds)
    many, megabytes = compared.connections, compared.grown("rss") // MB
    young = ("--min-worker-lifetime", 0)  # its own recycling spares workers for a minute
    variants = {
        "slshim": (shim(SL_MAX_RSS=f"{megabytes}M"),),
        f"max-requests {many}": ({}, ("--max-requests", many, *young)),
        f"reload-on-rss {megabytes}": ({}, ("--reload-on-rss", megabytes, *young)),
    }
    compared.run(asked.pairs, variants)


def main():
    asked = arguments(__doc__, 8)
    for compare in (compare_httpd, compare_gunicorn, compare_uwsgi):
        compare(asked)


if __name__ == "__main__":
    main()
