#!/usr/bin/env python3
"""Recycling under load by slshim, and by what the servers bring, at an equal rate: about each worker of
an application that leaks ends once in a run, when it has grown so much, or has served as many as make
it grow so much. One-shot connections, paired runs.

httpd and mod_perl: MaxConnectionsPerChild and Apache2::SizeLimit. gunicorn: max_requests, with and
without jitter. uWSGI: max-requests and reload-on-rss."""

import statistics
from dataclasses import dataclass
from functools import partial

from pairs import arguments, one_by_one, report, rounds
from peers import gunicorn, httpd, measuring, uwsgi
from servers import ab, growing, shim

WORKERS, GROWTH_KB = 4, 64 << 10
SIZELIMIT = """
PerlModule Apache2::SizeLimit
<Perl>
    Apache2::SizeLimit->set_max_process_size({kb});
</Perl>
PerlCleanupHandler Apache2::SizeLimit
"""


@dataclass
class Compared:
    """A server under a load, of which a worker's life is half of a run."""

    title: str
    make: callable  # of the environment, what else there is to configure, and leaked_kb
    seconds: int
    path: str = "/"

    def __post_init__(self):
        rate = measuring(self.make, self.seconds, self.path)(({},)).rate
        self.connections = int(rate * self.seconds / WORKERS / 2)
        self.make = partial(self.make, leaked_kb=max(1, GROWTH_KB // self.connections))

    def grown(self, figure, share=1):
        """Kilobytes that a worker has at the end of its life, or of a share of it: those of a new one
        who has served once, and its growth."""
        with self.make({}) as server:
            ab(server.url(self.path), WORKERS, WORKERS)
            sizes = [getattr(worker.memory_full_info(), figure) for worker in server.workers()]
        return int(statistics.mean(sizes) / 1024 + share * GROWTH_KB)

    def show(self, pairs, variants):
        measure = measuring(self.make, self.seconds, self.path)
        title = f"{self.title}, {WORKERS} workers, runs of {self.seconds} s"
        results = rounds({"no recycling": ({},)} | variants, pairs, one_by_one(measure))
        report(f"recycling_{self.title}", title, results)


def leaking_httpd(environment, config="", leaked_kb=0):
    return httpd(environment, growing(0, leaked_kb) + config, ("perl",), WORKERS)


def compare_httpd(asked):
    """Its master looks once a second for what is missing: to recycle as many in a run as the others
    do, slshim, which has few away at a time, has to begin earlier."""
    seconds = max(8, asked.seconds)
    compared = Compared("httpd", leaking_httpd, seconds, "/grow")
    own = f"MaxConnectionsPerChild {compared.connections}"
    variants = {
        "slshim": (shim(SL_MAX_UNSHARED=compared.grown("uss", 1 / 2)),),
        own: ({}, own),
        "Apache2::SizeLimit": ({}, SIZELIMIT.format(kb=compared.grown("vms"))),
    }
    compared.show(asked.pairs, variants)


def compare_uwsgi(asked):
    """As its master does."""
    make = partial(uwsgi, workers=WORKERS)
    compared = Compared("uWSGI", make, max(5, asked.seconds))
    many, megabytes = compared.connections, compared.grown("rss") // 1024
    young = ("--min-worker-lifetime", 0)  # its own recycling spares workers for a minute
    variants = {
        "slshim": (shim(SL_MAX_RSS=compared.grown("rss", 1 / 2)),),
        f"max-requests {many}": ({}, ("--max-requests", many, *young)),
        f"reload-on-rss {megabytes}": ({}, ("--reload-on-rss", megabytes, *young)),
    }
    compared.show(asked.pairs, variants)


def compare_gunicorn(asked):
    make = partial(gunicorn, workers=WORKERS)
    compared = Compared("gunicorn", make, asked.seconds)
    many = compared.connections
    own = ("--max-requests", many)
    variants = {
        "slshim": (shim(SL_MAX_RSS=compared.grown("rss")),),
        f"max_requests {many}": ({}, own),
        "the same, jitter a fifth": ({}, (*own, "--max-requests-jitter", many // 5)),
    }
    compared.show(asked.pairs, variants)


def main():
    asked = arguments(__doc__, 3)
    compare_httpd(asked)
    compare_uwsgi(asked)
    compare_gunicorn(asked)


if __name__ == "__main__":
    main()
