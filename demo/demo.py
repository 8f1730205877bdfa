#!/usr/bin/env python3
"""The main job, shown: a leaking server runs twice at the same time, without and with slshim, and
both get the same load. While they run, `slshim top`; then a table and a picture."""

import argparse
import contextlib
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "end_to_end"))

from servers import (  # noqa: E402
    BUILD, DEMO, Httpd, LeakyPrefork, Missing, Repeated, growing, leavings, shim, tool, wait_until
)  # fmt: skip

MB = 1024 * 1024
PRELOADED_MB, LEAKED_KB, WORK, WORKERS = 64, 144, 10000, 8
RATE = 50  # requests a second; few, so that a busy machine can bear them, too
LIMIT_MB = 16  # a worker comes there in eighteen seconds
# httpd forks only once a second, and here workers leave every two seconds or so, not every hour: so
# two may be away, and they are to leave one after another from the beginning.
VARIABLES = {"SL_MAX_UNSHARED": f"{LIMIT_MB}M", "SL_MAX_LEAVING": "2", "SL_JITTER": "40%"}
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
        if memory.uss > 0:  # a zombie has none, or is an error, as the version of psutil decides
            return memory.uss, memory.pss
    return None


def why_not_httpd():
    """None if nothing speaks against it."""
    try:
        with httpd({}) as server:
            workers = wait_until(server.workers, "httpd has a worker")
            if memory_of(workers[0]) is None:
                return "the memory of httpd's workers may not be read without CAP_SYS_PTRACE"
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


def load(servers, seconds, output):
    path = "/grow" if isinstance(servers["with"], Httpd) else "/"
    urls = [server.url(path) for server in servers.values()]
    return running([sys.executable, DEMO / "load.py", RATE, seconds, *urls], stdout=output)


class Answers:
    """What the clients of one server saw, from the lines that load.py wrote."""

    def __init__(self, lines, start):
        found = [(float(when) - start, float(took)) for when, took in lines]
        self.good = [(when, took) for when, took in found if not math.isnan(took)]
        self.requests, self.failed = len(found), len(found) - len(self.good)
        times = sorted(took for _, took in self.good) or [math.nan]
        self.most = times[len(times) * 99 // 100]  # milliseconds, as all others
        self.slowest = times[-1]

    def rate(self, seconds):
        return len(self.good) / seconds

    def slowest_by_second(self):
        slowest = {}
        for when, took in self.good:
            slowest[int(when)] = max(took, slowest.get(int(when), 0))
        return sorted(slowest.items())


# ------------------------------------------------------------------- memory


class Memory(Repeated):
    """Looks at both servers, at the same moments."""

    def __init__(self, servers):
        super().__init__(0.2, self._look)
        self.servers = servers
        self.looks = {name: [] for name in servers}  # (seconds, {pid: unshared}, all together), MB
        self.start = time.monotonic()

    def _look(self):
        for name, server in self.servers.items():
            seconds = time.monotonic() - self.start
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


def watch(server, load, seconds):
    """`slshim top` meanwhile: live on a terminal, elsewhere two looks."""
    command = [BUILD / "slshim", "top", server.master.pid]
    if not command[0].exists():
        print("(slshim top is not shown, because the slshim command was not built)")
    elif sys.stdin.isatty() and sys.stdout.isatty():
        with running(command):
            load.wait()
    else:
        for _ in range(2):
            with contextlib.suppress(subprocess.TimeoutExpired):
                load.wait(seconds / 3)
            print(f"\n$ slshim top {server.master.pid}")
            subprocess.run([*map(str, command), "--once"], check=False)


def run(open_server, seconds):
    """Both under load: how their memory went, what clients saw of each, which workers left."""
    with contextlib.ExitStack() as block:
        with open(OUTPUT / "log", "w") as log, contextlib.redirect_stdout(log):
            servers = {"without": open_server({}), "with": open_server(shim(**VARIABLES))}
            for server in servers.values():
                block.enter_context(server)
        file = block.enter_context(open(OUTPUT / "answers", "w+"))
        memory = block.enter_context(Memory(servers))
        loading = block.enter_context(load(servers, seconds, file))
        watch(servers["with"], loading, seconds)
        if loading.wait() != 0:
            sys.exit("the load failed")
        left = leavings(servers["with"].log())
        file.seek(0)
        lines = [line.split() for line in file]
    answers = {
        name: Answers([line[1:] for line in lines if line[0] == str(number)], memory.start)
        for number, name in enumerate(servers)
    }
    return memory, answers, left


def tell(memory, answers, left, seconds):
    """The table."""
    columns = {
        name: {
            "requests": each.requests,
            "failed": each.failed,
            "requests/s": f"{each.rate(seconds):.1f}",
            "99 of 100 were answered within, ms": f"{each.most:.1f}",
            "slowest answer, ms": f"{each.slowest:.1f}",
            "workers recycled": len(left) if name == "with" else 0,
            "largest worker in the second half, MB": f"{memory.largest(name):.1f}",
            "the whole server at the end, MB": f"{memory.total_at_end(name):.0f}",
        }
        for name, each in answers.items()
    }
    print(f"\n{'':<40}{'without slshim':>16}{'with slshim':>16}")
    for title, without in columns["without"].items():
        print(f"{title:<40}{without:>16}{columns['with'][title]:>16}")
    if left:
        text = re.sub(r".*?(slshim: )", r"\1", left[-1].text)
        print("\nEach leaving is a line in the server's log:")
        print(textwrap.indent(textwrap.fill(text, 92), "    "))


def write_slowest(answers):
    for name, each in answers.items():
        lines = [f"{second + 0.5} {took:.2f}\n" for second, took in each.slowest_by_second()]
        (OUTPUT / f"{name}.slowest").write_text("".join(lines))


def draw(terminal, kind, answers):
    """What gnuplot prints."""
    about = f"{kind}: {WORKERS} workers, {RATE} requests/s, each request leaks {LEAKED_KB} KB"
    words = [f"{each.requests} requests, {each.failed} failed" for each in answers.values()]
    script = [DEMO / "picture.gp", terminal, OUTPUT, LIMIT_MB, about, *words]
    command = [tool("gnuplot"), "-c", *map(str, script)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def show(kind, answers):
    """In characters, and as a picture, which is opened where there is a desktop."""
    picture = OUTPUT / "demo.png"
    try:
        print(draw("characters", kind, answers))
        draw("png", kind, answers)
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
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # So that the servers end, too.
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    sys.stdout.reconfigure(line_buffering=True)
    OUTPUT.mkdir(exist_ok=True)

    with contextlib.redirect_stdout(None):
        reason = why_not_httpd()
    kind, open_server = "httpd with mod_perl", httpd
    if reason:
        kind, open_server = "leaky_prefork", leaky_prefork
        print(f"{reason}, so examples/leaky_prefork takes its place")
    settings = " ".join(f"{name}={value}" for name, value in VARIABLES.items())
    print(
        f"For {seconds} s, {kind} runs twice: as it is, and with\n"
        f"    LD_PRELOAD=libslshim.so {settings}\n"
        f"Both have {WORKERS} workers and get {RATE} requests/s; each request leaks {LEAKED_KB} KB."
    )
    memory, answers, left = run(open_server, seconds)
    memory.write()
    write_slowest(answers)
    tell(memory, answers, left, seconds)
    show(kind, answers)
    return any(each.failed for each in answers.values())


if __name__ == "__main__":
    sys.exit(main())
