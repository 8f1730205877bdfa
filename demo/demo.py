#!/usr/bin/env python3
"""The main job, shown: a leaking server runs twice at the same time, without and with slshim, and
both get the same load. While they run, `slshim top`; then a table and a picture."""

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "end_to_end"))

from servers import (  # noqa: E402
    BUILD, DEMO, Httpd, LeakyPrefork, Missing, Repeated, growing, leavings, shim, tool, wait_until
)  # fmt: skip

MB = 1024 * 1024
PRELOADED_MB, LEAKED_KB, WORK, WORKERS = 64, 80, 10000, 6
RATE = 100  # requests a second
LIMIT_MB = 16  # a worker comes there in twelve seconds
# httpd forks only once a second, and here workers leave every two seconds or so, not every hour: so
# two may be away, and they are to leave one after another from the beginning.
VARIABLES = {"SL_MAX_UNSHARED": f"{LIMIT_MB}M", "SL_MAX_LEAVING": "2", "SL_JITTER": "30%"}
OUTPUT = BUILD / "demo"


# ------------------------------------------------------------------ servers


def httpd(environment):
    """Its pool keeps its size, so that as many workers are compared with as many."""
    config = growing(PRELOADED_MB, LEAKED_KB, WORK) + f"MaxRequestWorkers {WORKERS}\n"
    return Httpd(environment, modules=("perl",), config=config, workers_at_start=WORKERS)


def leaky_prefork(environment):
    if environment:
        environment = environment | {"SL_LEAVE": "QUIT@close"}
    return LeakyPrefork(environment, WORKERS, PRELOADED_MB, LEAKED_KB)


def memory_of(process):
    """Its unshared and its proportional bytes, as the kernel tells them; None if it does not."""
    with contextlib.suppress(psutil.Error):
        memory = process.memory_full_info()
        return memory.uss, memory.pss
    return None


def why_not_httpd():
    """None if nothing speaks against it."""
    try:
        with httpd({}) as server:
            workers = wait_until(server.workers, "httpd has a worker")
            # Not even by root, in a container that lacks CAP_SYS_PTRACE.
            if memory_of(workers[0]) is None:
                return "the memory of httpd's workers may not be read here"
    except Missing as missing:
        return str(missing)
    return None


# --------------------------------------------------------------------- load


@contextlib.contextmanager
def running(command, **arguments):
    """A command that does not outlive the block."""
    with subprocess.Popen([str(word) for word in command], text=True, **arguments) as process:
        try:
            yield process
        finally:
            process.terminate()


def load(server, seconds):
    """A connection every so often, whether or not those before are answered, because then a stall
    is seen by all that come meanwhile. httperf never sleeps, so it has to give way to the servers.
    """
    path = "/grow" if isinstance(server, Httpd) else "/"
    port = re.search(r":(\d+)", server.url())[1]
    return running(
        [
            *["nice", tool("httperf"), "--hog", "--timeout", 30],
            *["--rate", RATE, "--num-conns", RATE * seconds],
            *["--server", "127.0.0.1", "--port", port, "--uri", path],
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@dataclass
class Figures:
    """What clients saw."""

    requests: int
    failed: int
    rate: float  # requests a second
    average: float  # milliseconds
    worst: float

    @classmethod
    def of(cls, said, requests):
        answered = re.search(r"^Reply status: .*\b2xx=(\d+)", said, re.M)
        rate = re.search(r"^Request rate: ([\d.]+)", said, re.M)
        times = re.search(r"^Connection time .* avg ([\d.]+) max ([\d.]+)", said, re.M)
        if not (answered and rate and times):
            sys.exit(f"httperf said:\n{said}")
        failed = requests - int(answered[1])
        return cls(requests, failed, float(rate[1]), float(times[1]), float(times[2]))


# ------------------------------------------------------------------- memory


class Memory(Repeated):
    """Looks at both servers, at the same moments."""

    def __init__(self, servers):
        super().__init__(0.2, self._look)
        self.servers = servers
        self.looks = {name: [] for name in servers}  # (seconds, {pid: unshared}, all together), MB
        self._start = time.monotonic()

    def _look(self):
        for name, server in self.servers.items():
            seconds = time.monotonic() - self._start
            master = memory_of(server.master)
            workers = {w.pid: memory for w in server.workers() if (memory := memory_of(w))}
            if master and workers:
                unshared = {pid: uss / MB for pid, (uss, _) in workers.items()}
                total = (master[1] + sum(pss for _, pss in workers.values())) / MB
                self.looks[name].append((seconds, unshared, total))

    def write(self):
        """For gnuplot: a block of lines for each worker; and a line for each look."""
        for name, looks in self.looks.items():
            with open(OUTPUT / f"{name}.workers", "w") as file:
                for pid in sorted({pid for _, unshared, _ in looks for pid in unshared}):
                    for seconds, unshared, _ in looks:
                        if pid in unshared:
                            print(f"{seconds:.2f} {unshared[pid]:.2f}", file=file)
                    print("\n", file=file)
            with open(OUTPUT / f"{name}.all", "w") as file:
                for seconds, unshared, total in looks:
                    print(f"{seconds:.2f} {max(unshared.values()):.2f} {total:.1f}", file=file)

    def largest(self, name):
        """In the second half, because the first workers, all of one age, have left by then."""
        looks = self.looks[name]
        return max(max(unshared.values()) for _, unshared, _ in looks[len(looks) // 2 :])

    def total_at_end(self, name):
        return self.looks[name][-1][2]


# ----------------------------------------------------------------- the show


def watch(server, loads, seconds):
    """`slshim top` while they run: live on a terminal, elsewhere two looks."""
    command = [BUILD / "slshim", "top", server.master.pid]
    if not command[0].exists():
        print("(slshim top is not shown, because the slshim command was not built)")
    elif sys.stdin.isatty() and sys.stdout.isatty():
        with running(command):
            for each in loads:
                each.wait()
    else:
        for _ in range(2):
            with contextlib.suppress(subprocess.TimeoutExpired):
                loads[0].wait(seconds / 3)
            print(f"\n$ slshim top {server.master.pid}")
            subprocess.run([*map(str, command), "--once"], check=True)


def run(open_server, seconds):
    """Both under load: what clients saw of each, how its memory went, which workers left."""
    with contextlib.ExitStack() as block:
        with open(OUTPUT / "log", "w") as log, contextlib.redirect_stdout(log):
            servers = {"without": open_server({}), "with": open_server(shim(**VARIABLES))}
            for server in servers.values():
                block.enter_context(server)
        memory = block.enter_context(Memory(servers))
        loads = [block.enter_context(load(server, seconds)) for server in servers.values()]
        watch(servers["with"], loads, seconds)
        figures = [Figures.of(each.communicate()[0], RATE * seconds) for each in loads]
        left = leavings(servers["with"].log())
    return dict(zip(servers, figures)), memory, left


def tell(figures, memory, left):
    """The table."""
    rows = [
        ("requests", "{0.requests}"),
        ("failed", "{0.failed}"),
        ("requests/s", "{0.rate:.1f}"),
        ("average time to answer, ms", "{0.average:.1f}"),
        ("worst time to answer, ms", "{0.worst:.0f}"),
        ("workers recycled", "{1}"),
        ("largest worker in the second half, MB", "{2:.1f}"),
        ("the whole server at the end, MB", "{3:.0f}"),
    ]
    columns = [
        (each, len(left) if name == "with" else 0, memory.largest(name), memory.total_at_end(name))
        for name, each in figures.items()
    ]
    print(f"\n{'':<40}{'without slshim':>16}{'with slshim':>16}")
    for title, form in rows:
        print(f"{title:<40}" + "".join(f"{form.format(*column):>16}" for column in columns))
    if left:
        text = re.sub(r".*?(slshim: )", r"\1", left[-1].text)
        print("\nEach leaving is a line in the server's log:")
        print(textwrap.indent(textwrap.fill(text, 92), "    "))


def draw(terminal, kind, figures):
    """What gnuplot prints."""
    about = f"{kind}: {WORKERS} workers, {RATE} requests/s, each request leaks {LEAKED_KB} KB"
    words = [
        f"{each.rate:.1f} requests/s, {each.failed} failed, slowest answer {each.worst:.0f} ms"
        for each in figures.values()
    ]
    script = [DEMO / "picture.gp", terminal, OUTPUT, LIMIT_MB, about, *words]
    command = [tool("gnuplot"), "-c", *map(str, script)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def show(kind, figures):
    """In characters, and as a picture, which is opened where there is a desktop."""
    picture = OUTPUT / "demo.png"
    try:
        print(draw("characters", kind, figures))
        draw("png", kind, figures)
    except Missing as missing:
        print(f"\n{missing}: no picture; its data are in {OUTPUT}")
        return
    print(f"The picture: {picture}")
    opener = shutil.which("xdg-open")
    has_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if opener and has_desktop and sys.stdout.isatty():
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.Popen([opener, str(picture)], start_new_session=True, **quiet)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=40, help="of load; 40 unless told")
    seconds = options.parse_args().seconds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end, too
    sys.stdout.reconfigure(line_buffering=True)
    OUTPUT.mkdir(exist_ok=True)

    tool("httperf")
    with contextlib.redirect_stdout(None):
        reason = why_not_httpd()
    kind, open_server = ("httpd with mod_perl", httpd)
    if reason:
        kind, open_server = ("leaky_prefork", leaky_prefork)
        print(f"{reason}, so examples/leaky_prefork takes its place")
    settings = " ".join(f"{name}={value}" for name, value in VARIABLES.items())
    print(
        f"For {seconds} s, {kind} runs twice: as it is, and with\n"
        f"    LD_PRELOAD=libslshim.so {settings}\n"
        f"Both have {WORKERS} workers and get {RATE} requests/s; each request leaks {LEAKED_KB} KB."
    )
    figures, memory, left = run(open_server, seconds)
    memory.write()
    tell(figures, memory, left)
    show(kind, figures)
    return any(each.failed for each in figures.values())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except Missing as missing:
        sys.exit(str(missing))
