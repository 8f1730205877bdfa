"""Real servers under real load, for the end-to-end tests, the demo and the bench.

A server runs in a process group and a temporary directory of its own, listens on loopback only,
and is stopped by its pid. Nothing here knows what the shim is expected to do."""

import contextlib
import http.client
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLSHIM_BUILD", TOP / "build"))
UNPACKED = TOP / "build" / "unpacked"  # by ./run: packages that cannot be installed together
DEMO = TOP / "demo"
LIBRARY = BUILD / ".libs" / "libslshim.so"
MODULES = Path("/usr/lib/apache2/modules")


class Missing(Exception):
    """A server or tool that is not installed."""


def tool(name):
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin:{UNPACKED}/usr/sbin")
    if path is None:
        raise Missing(f"{name} is not installed")
    return path


# Seconds for what has to come: for the slowest machine, since only a failure waits so long.
PATIENCE = 180


def wait_until(condition, what, seconds=PATIENCE):
    """Waits for a condition and returns its value; what it was waiting for is in the failure."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)
    return value


def accepts(port):
    """Does a server accept there?"""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        return True
    return False


# Below those that the kernel gives to clients, which could take one before the server does.
ports = random.sample(range(10000, 32768), 32768 - 10000)


def free_port():
    """Never the same again: several servers may be starting at a time."""
    while True:
        port = ports.pop()
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def shim(**variables):
    """The environment that a server is started with."""
    return {"LD_PRELOAD": str(LIBRARY)} | {k: str(v) for k, v in variables.items()}


# ---------------------------------------------------------------------- load


@dataclass
class Load:
    requests: int
    failed: int
    seconds: float
    output: str

    @property
    def rate(self):
        return self.requests / self.seconds

    def expect_good(self):
        """None of its requests has failed."""
        assert self.failed == 0, f"{self.failed} of {self.requests} failed:\n{self.output}"
        return self


def number(pattern, text, default=0):
    found = re.search(pattern, text)
    return float(found[1]) if found else default


def ab(url, requests, clients=8, keep_alive=False, network=None):
    """ApacheBench; it gives up at the first connection that is refused or reset. `network`: the pid
    of a process in whose network namespace it runs."""
    command = ["nsenter", "-t", str(network), "-n"] if network else []
    command += [tool("ab"), "-q", "-n", str(requests), "-c", str(clients), "-s", "60"]
    done = subprocess.run(
        command + ["-k"] * keep_alive + [url], text=True, capture_output=True, timeout=300
    )
    output = done.stdout + done.stderr
    complete = int(number(r"Complete requests: +(\d+)", output))
    failed = number(r"Failed requests: +(\d+)", output) + number(r"Non-2xx responses: +(\d+)", output)
    return Load(
        complete,
        int(failed) + requests - complete,
        number(r"Time taken for tests: +([\d.]+)", output, 1e-9),
        output,
    )


# For wrk: every so many requests of a thread, one asks for the end of its connection.
SOME_CLOSE = """
local count = 0
request = function()
    count = count + 1
    wrk.headers["Connection"] = count % {requests} == 0 and "close" or nil
    return wrk.format()
end
"""


def wrk(url, seconds, clients=8, keep_alive=True, requests=0):
    """`requests`: on a connection, on average; 0: as many as the server allows."""
    command = [tool("wrk"), "-t2", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    if not keep_alive:
        command += ["-H", "Connection: close"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if requests:
            script.write(SOME_CLOSE.format(requests=requests))
            script.flush()
            command += ["-s", script.name]
        done = subprocess.run([*command, url], text=True, capture_output=True, timeout=seconds + 120)
    output = done.stdout + done.stderr
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    failed = sum(map(int, errors.groups())) if errors else 0
    failed += int(number(r"Non-2xx or 3xx responses: (\d+)", output))
    if done.returncode != 0:
        failed += 1
    return Load(int(number(r"(\d+) requests in", output)), failed, seconds, output)


def for_a_second(server):
    """A connection for each request."""
    return wrk(server.url(), seconds=1, keep_alive=False)


def rounds_of(requests, clients=8, path="/"):
    """So many at a time."""
    return lambda server: ab(server.url(path), requests, clients)


def load_until(server, is_enough, load=for_a_second, seconds=PATIENCE):
    """Loads a server again and again; how many requests that were, all of them good."""
    requests, end = 0, time.monotonic() + seconds
    while True:
        requests += load(server).expect_good().requests
        if is_enough():
            return requests
        assert time.monotonic() < end, f"not in {seconds} s of load, see {server.directory}"


def load_until_left(server, count, load=for_a_second, seconds=PATIENCE):
    """Until so many of its workers have left."""
    return load_until(server, lambda: len(server.leavings()) >= count, load, seconds)


def at_once(*loads):
    """Runs several loads at the same time; their results in order."""
    with ThreadPoolExecutor(len(loads)) as pool:
        return [running.result() for running in [pool.submit(load) for load in loads]]


def ab_each(urls, requests, clients=3):
    """At the same time."""
    return at_once(*[lambda url=url: ab(url, requests, clients) for url in urls])


def calls(call, times, clients, each=1):
    """Calls call(0), call(1), ... by so many clients at a time: it returns how many of its `each`
    requests were good."""
    start = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        good = sum(pool.map(call, range(times)))
    requests = times * each
    failed = requests - good
    return Load(requests, failed, time.monotonic() - start, f"{failed} failed")


def sessions(port, connections, requests=5, clients=8, path="/", host="127.0.0.1"):
    """Kept-alive connections with several requests each, from as many clients at a time. A client
    that is told that the connection closes opens another one; any other end of it is a failure."""

    def session(_):
        connection = http.client.HTTPConnection(host, port, timeout=60)
        good = 0
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            for _ in range(requests):
                connection.request("GET", path)  # opens it anew where the reply said "close"
                reply = connection.getresponse()
                reply.read()
                good += reply.status == 200
        return good

    return calls(session, connections, clients, requests)


def exchange(port, message, until=None, seconds=PATIENCE):
    """One connection: sends, and reads until a byte string or the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(message)
        reply = b""
        while not (until and until in reply) and (more := connection.recv(4096)):
            reply += more
    return reply


def get(url, seconds=PATIENCE):
    with urllib.request.urlopen(url, timeout=seconds) as reply:
        return reply.read().decode()


# -------------------------------------------------------------------- memory


def unshared(process):
    """Bytes of unshared memory, as the kernel tells an observer; None of one that is gone."""
    with contextlib.suppress(psutil.Error):
        return process.memory_full_info().uss
    return None


def has_signal(pid, line, number):
    """Is a signal among those that a line of /proc/PID/status has: SigBlk, SigCgt?"""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{line}:\s*(\w+)", status, re.MULTILINE)[1], 16) >> (number - 1) & 1


class Repeated:
    """Does something again and again, beside what runs in its `with` block, and once after it."""

    def __init__(self, interval, step):
        self._interval, self._step = interval, step
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.wait(self._interval):
            self._step()
        self._step()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


class Sampler(Repeated):
    """Samples the unshared memory of a server's workers every 50 ms, from outside."""

    def __init__(self, server):
        super().__init__(0.05, self._sample)
        self.server = server
        self.highest = {}  # pid -> bytes
        self.history = []  # (seconds since the start, {pid: bytes})
        self._start = time.monotonic()

    def _sample(self):
        now = {}
        for worker in self.server.workers():
            size = unshared(worker)
            if size is not None:
                now[worker.pid] = size
                self.highest[worker.pid] = max(size, self.highest.get(worker.pid, 0))
        self.history.append((time.monotonic() - self._start, now))


# ------------------------------------------------------------------- servers


@dataclass
class Leaving:
    """What the shim's line about a leaving says."""

    pid: int
    way: str
    limits: dict  # variable -> (value, threshold), KB, seconds or a count
    connections: int
    waited: float
    served_meanwhile: int
    text: str


def amount(text):
    return float(text) if "." in text else int(text)


def leavings(log):
    """Of its whole lines: the last one may be being written."""
    found = []
    for line in log.split("\n")[:-1]:
        at = re.search(r"slshim: \S+\[(\d+)\] (?:leaves|would leave \(SL_DRY_RUN\)) by (\S+),", line)
        if not at:
            continue
        limits = re.findall(r"(SL_\w+): ([\d.]+)(?: KB| s)? [<>] ([\d.]+)", line)
        waited = re.search(r"waited ([\d.]+) s and (\d+) connections", line)
        found.append(
            Leaving(
                int(at[1]),
                at[2],
                {name: (amount(value), amount(limit)) for name, value, limit in limits},
                int(re.search(r", connections (\d+),", line)[1]),
                float(waited[1]),
                int(waited[2]),
                line,
            )
        )
    return found


def shim_lines(log):
    """The shim's lines in a log, without their time."""
    return re.findall(r"^\S+Z slshim: (.*)$", log, re.MULTILINE)


def page_of(pid):
    """Where a process has the page that workers share: its first and last address; None: nowhere."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if "/memfd:slshim" in line:
            return tuple(int(address, 16) for address in line.split()[0].split("-"))
    return None


def said(server):
    """By slshim, in a log of its own or among the server's lines."""
    return server.said.read_text() if hasattr(server, "said") else server.log()


class Server:
    """A server in a directory and a process group of its own."""

    def __init__(self, environment=None):
        self.directory = Path(tempfile.mkdtemp(prefix="slshim-"))
        self.directory.chmod(0o755)
        self.environment = os.environ | (environment or {})
        self.process = None
        self.master = None  # a psutil.Process
        print(f"{type(self).__name__}: logs in {self.directory}")

    def spawn(self, command, observed=False, **arguments):
        """`observed`: records the wait statuses that its first process sees; it may not fork to
        become a daemon then."""
        if observed:
            command = self._under_strace(command)
        print("+", " ".join(map(str, command)))
        self.process = subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.directory,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            **arguments,
        )

    def _under_strace(self, command):
        ours = {k: v for k, v in self.environment.items() if os.environ.get(k) != v}
        for name in ours:
            del self.environment[name]
        return [
            *[tool("strace"), "-qq", "-o", str(self.directory / "waits")],
            *["-e", "trace=wait4,waitid", "-e", "signal=none"],
            *[word for k, v in ours.items() for word in ("-E", f"{k}={v}")],
            *command,
        ]

    def statuses(self):
        """How children ended, as the master saw it: "exited 0", "killed by SIGSEGV", ..."""
        waits = (self.directory / "waits").read_text()
        exits = re.findall(r"WIFEXITED\(s\) && WEXITSTATUS\(s\) == (\d+)", waits)
        exits += re.findall(r"si_code=CLD_EXITED, .*?si_status=(\d+)", waits)
        kills = re.findall(r"WTERMSIG\(s\) == (\w+)", waits)
        kills += re.findall(r"si_code=CLD_(?:KILLED|DUMPED), .*?si_status=(\w+)", waits)
        return [f"exited {n}" for n in exits] + [f"killed by {s}" for s in kills]

    def workers(self):
        with contextlib.suppress(psutil.Error):
            return self.master.children()
        return []

    def pids(self):
        """Those of its workers."""
        return {worker.pid for worker in self.workers()}

    def log(self):
        raise NotImplementedError

    def leavings(self):
        return leavings(self.log())

    def wait_until_settled(self, count):
        """Until all workers are there, and none was born in the last tenth of SL_REPLACE_TIMEOUT:
        then the first of a master that nobody knows may leave."""
        timeout = number(r"^(\d+)s?$", self.environment.get("SL_REPLACE_TIMEOUT", ""), 10)
        seen, since = set(), 0

        def has_settled():
            nonlocal seen, since
            assert self.is_running(), f"the master ended, see {self.directory}: {self.log()[-1000:]}"
            pids = self.pids()
            if pids != seen:
                seen, since = pids, time.monotonic()
            return len(pids) >= count and time.monotonic() - since > timeout / 10 + 0.05

        wait_until(has_settled, f"{count} workers are there, see {self.directory}")

    def is_running(self):
        with contextlib.suppress(psutil.NoSuchProcess):
            return self.master.is_running() and self.master.status() != psutil.STATUS_ZOMBIE
        return False

    def stop(self, by=signal.SIGTERM):
        """Stops the master cleanly and returns the status that it ended with."""
        self.master.send_signal(by)
        return self.process.wait(PATIENCE)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _sessions(self):
        """Those that were started here; a daemon that forked twice does not lead its own."""
        sessions = {started.pid for started in (self.process, self.master) if started}
        with contextlib.suppress(ProcessLookupError):
            if self.master and self.is_running():
                sessions.add(os.getsid(self.master.pid))
        return sessions

    def _end_those_left_behind(self, sessions):
        """Orphans among them; true if there were none."""
        left = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                if process.status() != psutil.STATUS_ZOMBIE and os.getsid(process.pid) in sessions:
                    left.append(process)
                    process.kill()
        return not left

    def __exit__(self, *_):
        sessions = self._sessions()
        wait_until(
            lambda: self._end_those_left_behind(sessions), "all processes of the server have ended"
        )
        if self.process:
            self.process.wait(30)


def as_root():
    return os.geteuid() == 0


@dataclass
class Httpd(Server):
    """Debian's apache2 with a configuration of ours; in `config`, @directory@ is the server's."""

    environment: dict = None
    listens: int = 1
    modules: tuple = ()
    config: str = ""
    arguments: tuple = ("-DFOREGROUND",)
    observed: bool = False  # record the wait statuses that the master sees
    workers_at_start: int = 32
    mpm: str = "prefork"
    ports: list = field(default_factory=list)

    def __post_init__(self):
        self.program = tool("apache2")
        self.modules = (f"mpm_{self.mpm}", "authz_core", "dir", "mime", *self.modules)
        for module in self.modules:
            if self._file_of(module) is None:
                raise Missing(f"httpd's module {module} is not installed")
        super().__init__(self.environment)
        self.ports = [free_port() for _ in range(self.listens)]
        (self.directory / "htdocs").mkdir()
        (self.directory / "htdocs" / "index.html").write_text("ok\n")
        self.error_log.touch()
        self.witness.touch()
        self.witness.chmod(0o666)

    @property
    def error_log(self):
        return self.directory / "error.log"

    @property
    def witness(self):
        """A file that every child may write to."""
        return self.directory / "witness"

    def url(self, path="/", port=0):
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def log(self):
        return self.error_log.read_text(errors="replace")

    def _configuration(self):
        user = "User www-data\nGroup www-data" if as_root() else ""
        return f"""
ServerRoot "{self.directory}"
DefaultRuntimeDir "{self.directory}"
PidFile "{self.directory}/pid"
ErrorLog "{self.error_log}"
LogLevel warn
ServerName localhost
{user}
{"".join(f'LoadModule {m}_module "{self._file_of(m)}"{chr(10)}' for m in self.modules)}
{"".join(f"Listen 127.0.0.1:{port}{chr(10)}" for port in self.ports)}
DocumentRoot "{self.directory}/htdocs"
TypesConfig /dev/null
{self._pool() if self.mpm == "prefork" else ""}
{self.config.replace("@directory@", str(self.directory))}
"""

    def _pool(self):
        start, most = self.workers_at_start, 2 * self.workers_at_start
        return f"""
StartServers {start}
MinSpareServers {start}
MaxSpareServers {most}
ServerLimit {most}
MaxRequestWorkers {most}
"""

    def _file_of(self, module):
        files = {"php": "libphp*.so", "mpm_itk": "mpm_itk.so"}
        return next(MODULES.glob(files.get(module, f"mod_{module}.so")), None)

    def start(self):
        configuration = self.directory / "httpd.conf"
        configuration.write_text(self._configuration())
        command = [self.program, "-f", str(configuration), *self.arguments]
        with open(self.error_log, "a") as errors:
            self.spawn(command, self.observed, stdout=errors, stderr=errors)
        self.master = wait_until(self._find_master, f"httpd started, see {self.error_log}")
        wait_until(self._answers, f"httpd answers, see {self.error_log}")

    def _find_master(self):
        if "-DFOREGROUND" in self.arguments and self.process.poll() is not None:
            raise AssertionError(f"httpd ended:\n{self.log()}")
        with contextlib.suppress(FileNotFoundError, ValueError, psutil.Error):
            return psutil.Process(int((self.directory / "pid").read_text()))
        return None

    def _answers(self):
        try:
            get(self.url("/answers?"))
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def complaints(self):
        """The codes of the lines at warn or above in the error log; of lines without, the lines."""
        complaints = set()
        for line in self.log().splitlines():
            if re.search(r"\] \[\w*:(warn|error|crit|alert|emerg)\] \[pid ", line):
                code = re.search(r"\bAH\d{5}\b", line)
                complaints.add(code[0] if code else line)
        return complaints


THREADED_POOL = """
StartServers 16
ServerLimit 32
ThreadLimit 4
ThreadsPerChild 4
MaxRequestWorkers 128
MinSpareThreads 56
MaxSpareThreads 128
"""


def growing(preloaded_mb, unshared_kb, work=0, transient_kb=0, files=0):
    """For Httpd's config: mod_perl with a handler that grows, at /grow."""
    return f"""
PerlSwitches -I{DEMO}
PerlSetVar PreloadedMB {preloaded_mb}
PerlSetVar UnsharedKB {unshared_kb}
PerlSetVar TransientKB {transient_kb}
PerlSetVar Work {work}
PerlSetVar Files {files}
PerlSetVar Witness "@directory@/witness"
PerlModule Growing
PerlChildExitHandler Growing::child_exit
<Location /grow>
    SetHandler modperl
    PerlResponseHandler Growing
</Location>
"""


def growing_httpd(environment, **amounts):
    """An httpd with that handler, and a few children."""
    return Httpd(environment, modules=("perl",), config=growing(**amounts), workers_at_start=4)


def grow(server, requests=200):
    """Requests for that handler."""
    return ab(server.url("/grow"), requests, clients=4).expect_good()


class Program(Server):
    """A server of ours, in build/, that says its port and its pid when it listens."""

    def __init__(self, environment, program, *options, workers=8, settled=True):
        super().__init__(environment)
        self.workers_at_start = workers if settled else 0
        self.command = [str(BUILD / program), *map(str, options)]

    @property
    def error_log(self):
        return self.directory / "stderr"

    def log(self):
        return self.error_log.read_text()

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self):
        with open(self.error_log, "a") as errors:
            self.spawn(self.command, stdout=subprocess.PIPE, stderr=errors, text=True)
        said = self.process.stdout.readline()
        found = re.match(r"port (\d+) pid (\d+)", said)
        if not found:
            raise AssertionError(f"{self.command[0]} said {said!r} and:\n{self.log()}")
        self.port = int(found[1])
        self.master = psutil.Process(int(found[2]))
        if self.workers_at_start:
            self.wait_until_settled(self.workers_at_start)


class LeakyPrefork(Program):
    """examples/leaky_prefork"""

    def __init__(self, environment=None, workers=8, preloaded_mb=64, leaked_kb=64, settled=True):
        sizes = ["-w", workers, "-m", preloaded_mb, "-l", leaked_kb]
        program = "examples/leaky_prefork"
        super().__init__(environment, program, *sizes, workers=workers, settled=settled)


class Asking(Program):
    """examples/asking"""

    def __init__(self, environment=None, workers=2):
        super().__init__(environment, "examples/asking", "-w", workers, workers=workers)


def ask(server, path):
    """Of a server whose application takes each request for a call of slshim.h: the worker's pid, and
    what the call returned, None without slshim."""
    pid, result = get(server.url(path)).split()
    return int(pid), None if result == "absent" else int(result)


class HandWritten(Program):
    """tests/hand_written"""

    def __init__(
        self, environment, wait="accept", service="close", lock="none", oddity="none", path=None
    ):
        parts = ["-a", wait, "-s", service, "-l", lock, "-o", oddity]
        parts += ["-u", path] if path else []
        super().__init__(environment, "tests/hand_written/hand_written", *parts)


