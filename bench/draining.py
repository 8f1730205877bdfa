#!/usr/bin/env python3
"""Workers that are all over their limit under load that never pauses: how many leave, what that costs,
and that nothing is lost. Servers at their defaults, four workers each, paired runs without a limit
and with one.

    nginx, lighttpd    64 connections, which the server ends after 1,000 requests
    the others         24 connections, which the client ends after 50 requests on average"""

import sys
from functools import partial
from pathlib import Path

from pairs import arguments, one_by_one, report, rounds
from peers import Births, run_of, wait_for_workers
from servers import get, shim, wrk

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "end_to_end" / "recycled"))

import test_gunicorn
import test_lighttpd
import test_nginx
import test_puma


def gunicorn(variant, environment):
    server = test_gunicorn.make(variant, environment)
    server.workers_at_start = 4
    return server


# How it is made, clients, requests on a connection; 0: as many as the server allows.
CASES = {
    "nginx": (test_nginx.make(""), 64, 0),
    "lighttpd": (test_lighttpd.Lighttpd, 64, 0),
    "puma": (test_puma.Puma, 24, 50),
    "gthread": (partial(gunicorn, "gthread"), 24, 50),
    "uvicorn": (partial(gunicorn, "uvicorn, uvloop"), 24, 50),
    "aiohttp": (partial(gunicorn, "aiohttp"), 24, 50),
    "tornado": (partial(gunicorn, "tornado"), 24, 50),
    "eventlet": (partial(gunicorn, "eventlet"), 24, 50),
}


def measure(make, seconds, clients, requests, environment):
    with make(environment) as server:
        wait_for_workers(server)
        get(server.url(), seconds=30)  # they may take long to begin
        with Births(server.master.pid) as births:
            run = run_of(wrk(server.url(), seconds, clients, requests=requests))
    run.recycled = births.count
    return run


def main():
    asked = arguments(__doc__, 30, 5)
    for name, (make, clients, requests) in CASES.items():
        one = partial(measure, make, asked.seconds, clients, requests)
        variants = {"no limit": {}, "slshim": shim(SL_MAX_CONNECTIONS=20)}
        results = rounds(variants, asked.pairs, one_by_one(one))
        title = f"over a limit and never idle: {name}, runs of {asked.seconds} s"
        report(f"draining_{name}", title, results)


if __name__ == "__main__":
    main()
