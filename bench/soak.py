#!/usr/bin/env python3
"""Hours of ordinary service: nginx, puma, gunicorn with uvicorn and httpd's event together on one
machine, each with an application that leaks, and a limit as an administrator would set it. Clients
that never pause, half of them with a connection for each request, ask each of them so many times a
second that all together take about a third of a processor.

    bench/soak.py [MINUTES]     60 unless told, 2 at least; a worker lives for a fifteenth, or a minute

Every ten seconds it records the memory of each worker, in build/bench/soak.csv. Its end is a table;
the status is 1 if a request failed, memory was not held, or a server complained. Then the servers'
directories stay, with their logs."""

import argparse
import contextlib
import csv
import http.client
import random
import re
import resource
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from pairs import OUTPUT
from peers import wait_for_workers
from servers import Httpd, Missing, Repeated, get, said, shim, shim_lines

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "end_to_end" / "recycled"))

import test_gunicorn
import test_nginx
import test_puma
from nginx import configuration

CLIENTS, RATE = 8, 80  # of each server; requests a second
GROWTH_KB = 40 << 10  # of a worker, in its life
HELD = 1.25  # of the limit, or of what there was at first: more than that is not held
# gunicorn's information includes that it closes its socket a second time, whenever a worker ends.
COMPLAINT = re.compile(r"(?i)(?!.*\[INFO\]).*(error|crit|alert|emerg|fatal|traceback|killed)")

# ------------------------------------------------------------------- servers

PERL = Path("/usr/lib/nginx/modules/ngx_http_perl_module.so")


class Nginx(test_nginx.Nginx):
    """With a handler in perl, in its workers."""

    application = """
location / {{
    perl 'sub {{
        my $request = shift;
        push @main::leak, $$ . "x" x ({leaked_kb} << 10);
        $request->header_out("Content-Length", 3);
        $request->send_http_header("text/plain");
        $request->print("ok\\n");
        return OK;
    }}';
}}
"""

    def prepare(self):
        if not PERL.exists():
            raise Missing("nginx's perl module is not installed")
        main = f"load_module {PERL}; worker_processes {self.workers_at_start};"
        http = f"server {{ listen 127.0.0.1:{self.port}; {self.application} }}"
        (self.directory / "nginx.conf").write_text(configuration(self, http, main))


class Puma(test_puma.Puma):
    application = """
leak = []
run lambda {{ |_|
  leak << "x" * ({leaked_kb} << 10)
  [200, {{"Content-Type" => "text/plain", "Content-Length" => "3"}}, ["ok\\n"]]
}}
"""


class Gunicorn(test_gunicorn.Gunicorn):
    title = "gunicorn uvicorn"
    workers_at_start = 4
    ready_signal, shed_signal = signal.SIGTERM, signal.SIGHUP
    options = ("-k", "uvicorn.workers.UvicornWorker")
    application = (
        test_gunicorn.ASGI.replace("{", "{{").replace("}", "}}")
        + """
answer, leak = application, []

async def application(scope, receive, send):
    if scope["type"] == "http":
        leak.append(b"x" * ({leaked_kb} << 10))
    await answer(scope, receive, send)
"""
    )


class Event(Httpd):
    """With mod_wsgi in its children."""

    title = "httpd event"
    application = """
leak = []

def application(environ, start_response):
    leak.append(b"x" * ({leaked_kb} << 10))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\\n"]
"""

    def __init__(self, environment):
        # Without this a child of event never ends, whoever asks it to, MaxConnectionsPerChild included.
        config = "WSGIDestroyInterpreter Off\n"
        config += 'WSGIScriptAlias / "@directory@/programs/application"\n'
        config += "<Location />\nRequire all granted\n</Location>\n"
        super().__init__(
            environment, 1, ("wsgi",), config, observed=True, mpm="event", workers_at_start=3
        )

    def start(self):
        (self.directory / "programs").mkdir()
        (self.directory / "programs" / "application").write_text(self.application)
        super().start()


SERVERS = {Nginx: 48, Puma: 80, Gunicorn: 64, Event: 56}  # and the limit, in MB


def make(kind, limit, seconds):
    server = kind(shim(SL_MAX_UNSHARED=f"{limit}M"))
    server.limit = limit
    requests = RATE * max(60, seconds / 15) / server.workers_at_start  # in a life
    server.application = kind.application.format(leaked_kb=max(1, round(GROWTH_KB / requests)))
    return server


def complaints(server):
    """Lines of its log, and ends of its children."""
    lines = [line for line in server.log().splitlines() if " slshim: " not in line]
    return [line for line in lines + server.statuses() if COMPLAINT.match(line)]


# ------------------------------------------------------------------- clients


@dataclass
class Seen:
    """What clients of a server have."""

    requests: int = 0
    failed: int = 0
    again: int = 0  # asked again, on another connection, because the server closed an idle one
    worst: float = 0  # seconds

    def __iadd__(self, other):
        self.requests += other.requests
        self.failed += other.failed
        self.again += other.again
        self.worst = max(self.worst, other.worst)
        return self


def ask(connection, headers):
    """Whether the connection ends with the reply."""
    connection.request("GET", "/", headers=headers)
    reply = connection.getresponse()
    if (reply.status, reply.read()) != (200, b"ok\n"):
        raise http.client.HTTPException(f"status {reply.status}")
    return reply.will_close


def client(server, most, stopped, seed):
    """One, whose connections have up to so many requests; it tells of the end of those with one."""
    thinks, seen, connection = random.Random(seed), Seen(), None
    may_close_idle = isinstance(server, Event)  # its children do, in its own recycling, too
    headers = {"Connection": "close"} if most == 1 else {}
    while not stopped.wait(thinks.uniform(0, 2 * CLIENTS / RATE)):
        start = time.monotonic()
        if connection is None:
            connection = http.client.HTTPConnection(urlsplit(server.url()).netloc, timeout=60)
            asked, last, replied = 0, thinks.randint(1, most), start
        try:
            ends = ask(connection, headers)
        except (OSError, http.client.HTTPException) as error:
            ends = True
            # Servers end connections that are idle for seconds; on a busy machine clients are late.
            may_close = asked and (may_close_idle or start - replied > 1)
            if may_close and isinstance(error, ConnectionError):
                seen.again += 1
            else:
                seen.failed += 1
                now = time.strftime("%FT%TZ", time.gmtime())
                print(f"{now} {server.title}: request {asked + 1}: {error!r}", flush=True)
        else:
            asked, replied = asked + 1, time.monotonic()
            seen.requests += 1
            seen.worst = max(seen.worst, replied - start)
        if ends or asked >= last:
            connection.close()
            connection = None
    return seen


# -------------------------------------------------------------------- record


class Record(Repeated):
    """The memory of each worker, and how many have left."""

    def __init__(self, servers, seconds):
        super().__init__(10, self._note)
        self._servers, self._seconds, self._start = servers, seconds, time.monotonic()
        self._highest = {}  # (title, quarter) -> bytes
        OUTPUT.mkdir(exist_ok=True)
        self._file = open(OUTPUT / "soak.csv", "w")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._csv.writerow(("seconds", "server", "left", "pid", "pss", "unshared"))

    def _note(self):
        for server in self._servers:
            seconds, left = round(time.monotonic() - self._start), len(server.leavings())
            quarter = min(3, int(4 * seconds / self._seconds))
            for worker in server.workers():
                with contextlib.suppress(psutil.Error):
                    memory = worker.memory_full_info()
                    line = seconds, server.title, left, worker.pid, memory.pss, memory.uss
                    self._csv.writerow(line)
                    key = server.title, quarter
                    self._highest[key] = max(memory.uss, self._highest.get(key, 0))
        self._file.flush()

    def highest(self, server, quarters=range(4)):
        """Megabytes that any worker of it had unshared."""
        return max(self._highest.get((server.title, q), 0) for q in quarters) / (1 << 20)

    def __exit__(self, *error):
        super().__exit__(*error)
        self._file.close()


# ---------------------------------------------------------------------- soak


def soak(servers, seconds):
    """What was recorded, and what the clients of each have seen."""
    stopped, clients = threading.Event(), {server.title: [] for server in servers}
    for server in servers:
        wait_for_workers(server)
        get(server.url(), seconds=30)  # they may take long to begin
    with Record(servers, seconds) as record, ThreadPoolExecutor(CLIENTS * len(servers)) as pool:
        try:
            for number in range(CLIENTS * len(servers)):
                server = servers[number % len(servers)]
                most = 1 if number < CLIENTS * len(servers) / 2 else 100
                running = pool.submit(client, server, most, stopped, number)
                clients[server.title].append(running)
            stopped.wait(seconds)
        finally:
            stopped.set()
    seen = {title: Seen() for title in clients}
    for title, running in clients.items():
        for one in running:
            seen[title] += one.result()
    return record, seen


ROW = "{:<18}{:>10}{:>8}{:>8}{:>11}{:>10}{:>8}{:>10}{:>10}{:>10}{:>10}{:>10}{:>8}"


def judge(server, record, seen):
    """Stops it; its row of the table, and whether all is good."""
    restarts = int(not server.is_running())
    if not restarts:
        server.stop()
    left, wrong = server.leavings(), complaints(server)
    first, last = record.highest(server, [0]), record.highest(server, [3])
    leaving = max([value for one in left for value, _ in one.limits.values()], default=0) / 1024
    print(ROW.format(
        server.title, seen.requests, seen.failed, seen.again, f"{1000 * seen.worst:.0f}", len(left),
        server.limit, f"{record.highest(server):.1f}", f"{leaving:.1f}", f"{first:.1f}", f"{last:.1f}",
        restarts, len(wrong),
    ))  # fmt: skip
    held = last <= HELD * max(first, server.limit)
    return held and len(left) > 0 and not (seen.failed or restarts or wrong)


def show_lines(server):
    """How its children ended, how long that took, what the server complained of, and why slshim had
    a worker stay."""
    waited = max((one.waited for one in server.leavings()), default=0)
    drained = max(map(float, re.findall(r"; drained for ([\d.]+) s", said(server))), default=0)
    print(f"\n{server.title}: children ended: {dict(Counter(server.statuses()))}; for a turn they"
          f" waited {waited:.1f} s at most, and drained for {drained:.1f} s")  # fmt: skip
    stays = [line.split("] ", 1)[1] for line in shim_lines(said(server)) if " stays " in line]
    for line, count in Counter(stays + complaints(server)).most_common(12):
        print(f"{count:>6} x {line}")


def processor_time():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("minutes", type=float, nargs="?", default=60)
    seconds = 60 * parser.parse_args().minutes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(make(*item, seconds)) for item in SERVERS.items()]
        record, seen = soak(servers, seconds)
        print(f"\n{seconds / 60:g} minutes; the highest unshared memory of a worker, in MB")
        print(ROW.format("", "requests", "failed", "again", "worst, ms", "leavings", "limit", "highest",
                         "leaving", "quarter 1", "quarter 4", "restarts", "errors"))  # fmt: skip
        good = [judge(server, record, seen[server.title]) for server in servers]
        for server in servers:
            show_lines(server)
    print(f"\n{processor_time() / seconds:.2f} of a processor")
    if not all(good):
        sys.exit(1)
    for server in servers:
        shutil.rmtree(server.directory)


if __name__ == "__main__":
    main()
