#!/usr/bin/env python3
"""Workers that are all over their limit under load that never pauses: how many leave, what that
costs, and that nothing is lost. Servers at their defaults, four workers each, paired runs without a
limit and with one.

    nginx, lighttpd    64 connections, which the server ends after 1,000 requests
    httpd event        1,000 connections, which it ends after 100 requests, and threads for all; its
                       own recycling for comparison
    the others         24 connections, which the client ends after 50 requests on average
    ..., never         24 that nobody ends: a worker leaves only by its server's own way, if at all

php-fpm is behind nginx, which keeps connections to it, too. It and uWSGI have no row with those that
nobody ends, because a worker has one connection at a time, and clients beyond those would wait."""

import sys
from functools import partial
from pathlib import Path

from pairs import arguments, one_by_one, report, rounds
from peers import Births, run_of, wait_for_workers
from servers import Httpd, get, shim, wrk

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "end_to_end" / "recycled"))

import test_gunicorn
import test_lighttpd
import test_nginx
import test_puma
import test_uwsgi
from php_fpm import PhpFpm


def gunicorn(variant, environment):
    server = test_gunicorn.make(variant, environment)
    server.workers_at_start = 4
    return server


def uwsgi(environment):
    server = test_uwsgi.Uwsgi(environment)
    server.protocol, server.options, server.workers_at_start = "http11-socket", ("--master",), 4
    return server


def php_fpm(environment):
    server = PhpFpm(environment)
    server.requests = 50
    return server


# A child with fewer threads than connections closes kept-alive ones by itself.
EVENT_POOL = """
StartServers 8
ServerLimit 8
ThreadLimit 256
ThreadsPerChild 256
MaxRequestWorkers 2048
MinSpareThreads 2048
MaxSpareThreads 2304
"""


def event(config, environment):
    return Httpd(environment, config=EVENT_POOL + config, mpm="event", workers_at_start=8)


ENDED_BY_CLIENTS = {
    "puma": test_puma.Puma,
    "gthread": partial(gunicorn, "gthread"),
    "uvicorn": partial(gunicorn, "uvicorn, uvloop"),
    "aiohttp": partial(gunicorn, "aiohttp"),
    "tornado": partial(gunicorn, "tornado"),
    "eventlet": partial(gunicorn, "eventlet"),
    "gevent": partial(gunicorn, "gevent"),
}
# How it is made, clients, requests on a connection; 0: as many as the server allows.
CASES = {
    "nginx": (test_nginx.make(""), 64, 0),
    "lighttpd": (test_lighttpd.Lighttpd, 64, 0),
    "httpd event": (partial(event, ""), 1000, 0),
    **{name: (make, 24, 50) for name, make in ENDED_BY_CLIENTS.items()},
    "uWSGI": (uwsgi, 24, 50),
    "php-fpm": (php_fpm, 24, 50),
    "httpd event, never": (partial(event, "MaxKeepAliveRequests 0"), 24, 0),
    **{f"{name}, never": (make, 24, 0) for name, make in ENDED_BY_CLIENTS.items()},
}
# With its own recycling, where that loses some, too: a child of event that stops closes its idle
# connections, and a request may be on its way.
OWN = {"httpd event": partial(event, "MaxConnectionsPerChild 100")}


def measure(seconds, clients, requests, variant):
    make, environment = variant
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
        one = partial(measure, asked.seconds, clients, requests)
        limit = 1 if name.endswith("never") else 20  # of such connections a worker has about six
        variants = {"no limit": (make, {}), "slshim": (make, shim(SL_MAX_CONNECTIONS=limit))}
        if name in OWN:
            variants["its own recycling"] = (OWN[name], {})
        results = rounds(variants, asked.pairs, one_by_one(one))
        title = f"over a limit and never idle: {name}, runs of {asked.seconds} s"
        report(f"draining_{name.replace(' ', '_').replace(',', '')}", title, results)


if __name__ == "__main__":
    main()
