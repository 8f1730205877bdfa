#!/usr/bin/env python3
"""What it costs a server that its workers are over a limit and have to wait: for connections that
are open, for their turn, or for ever. Ratios to no shim, in paired runs: throughput at least 0.95 of
it, the worst request at most 100 ms above its pair's.

    idle connections    one event loop that holds 18,000 of them
    open files          a worker with 19,000
    alone               a worker that is the only one of its pool
    1100 workers        all over a limit at once; they are recycled all the while
    httpd               250 children, all over a limit at once"""

import contextlib
import resource
import socket
from functools import partial

from pairs import arguments, one_by_one, report, rounds
from peers import Births, httpd, saturate
from servers import Program, shim, wait_until

IDLE_CONNECTIONS, OPEN_FILES = 18000, 19000
OVER_AT_ONCE = shim(SL_MAX_CONNECTIONS=1)


class Waiting(Program):
    """bench/waiting"""

    def __init__(self, environment, workers=1, how="accept", files=0):
        super().__init__(environment, "bench/waiting", workers, how, files, workers=workers)
        self.count = workers

    def start(self):
        self.workers_at_start = 0
        super().start()
        wait_until(lambda: len(self.workers()) >= self.count, "all workers are there", 60)


@contextlib.contextmanager
def held(port, count):
    """That many connections, from as many addresses as there are ports for."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(socket.socket())
            connection.bind((f"127.0.0.{2 + number % 50}", 0))
            connection.connect(("127.0.0.1", port))
        yield


def measure(make, seconds, connections, clients, keep_alive, environment):
    with make(environment) as server, held(getattr(server, "port", 0), connections):
        server.workers_at_start = clients
        # Over a limit, and with all looked at once, before the time is taken.
        saturate(server, "/", 1, keep_alive)
        with Births(server.master.pid) as births:
            run = saturate(server, "/", seconds, keep_alive)
    run.recycled = births.count
    return run


def main():
    asked = arguments(__doc__, 8)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # servers inherit it
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # How it is made, connections held, clients, whether they are kept alive, the limit.
    cases = {
        "idle connections": (partial(Waiting, how="epoll"), IDLE_CONNECTIONS, 8, True, OVER_AT_ONCE),
        "open files": (partial(Waiting, files=OPEN_FILES), 0, 8, False, OVER_AT_ONCE),
        "open files, two workers": (
            partial(Waiting, workers=2, files=OPEN_FILES), 0, 8, False,
            shim(SL_MAX_CONNECTIONS=1, SL_REPLACE_TIMEOUT="365d"),
        ),
        "alone": (Waiting, 0, 8, False, OVER_AT_ONCE),
        "alone in an event loop": (partial(Waiting, how="epoll"), 0, 8, True, OVER_AT_ONCE),
        "1100 workers": (partial(Waiting, workers=1100), 0, 64, False, shim(SL_MAX_CONNECTIONS=100)),
        "httpd": (partial(httpd, workers=250), 0, 8, False, shim(SL_MAX_CONNECTIONS=20)),
    }  # fmt: skip
    for name, (make, connections, clients, keep_alive, limit) in cases.items():
        one = partial(measure, make, asked.seconds, connections, clients, keep_alive)
        results = rounds({"no shim": {}, "slshim": limit}, asked.pairs, one_by_one(one))
        title = f"over a limit and waiting: {name}, runs of {asked.seconds} s"
        report(f"waiting_{name.replace(' ', '_').replace(',', '')}", title, results)


if __name__ == "__main__":
    main()
