"""What is common to the tests of servers that slshim knows nothing of: they never notice it, though
every process of theirs is over a limit from the start. Same replies, same processes that accept, a
clean stop."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from servers import (
    LIBRARY, Server, ab, accepts, as_root, exchange, free_port, leavings, shim, tool, wait_until
)  # fmt: skip


class Stranger(Server):
    """A server that is started by a command; its clients answer with what they saw."""

    said = "watches its workers"  # what the shim has to say; "" where it has no occasion
    trials = 0  # that SL_LEAVE may cost it

    def __init__(self, environment):
        super().__init__(environment)
        self.port = free_port()
        self.log_file = self.directory / "slshim.log"
        self.log_file.touch()
        self.log_file.chmod(0o666)
        self.environment["SL_LOG"] = str(self.log_file)

    def command(self):
        raise NotImplementedError

    def prepare(self):
        pass

    def log(self):
        return self.log_file.read_text()

    def is_listening(self):
        assert self.process.poll() in (None, 0), f"it ended, see {self.directory}/output"
        return accepts(self.port)

    def find_master(self):
        return psutil.Process(self.process.pid)

    def start(self):
        self.prepare()
        with open(self.directory / "output", "w") as output:
            self.spawn(self.command(), stdout=output, stderr=output)
        wait_until(self.is_listening, f"it listens, see {self.directory}/output")
        self.master = wait_until(self.find_master, "there is a master")
        wait_until(self.is_as_preloaded, "the master maps what was preloaded")  # it may exec first

    def is_as_preloaded(self):
        """In a container one may not look into a process of another user: there is what it said."""
        try:
            maps = Path(f"/proc/{self.master.pid}/maps").read_text()
        except PermissionError:
            return self.said
        return (str(LIBRARY) in maps) == (self.environment.get("LD_PRELOAD") == str(LIBRARY))


class Daemon(Stranger):
    """One that goes into the background and leaves a pid file."""

    @property
    def pid_file(self):
        return self.directory / "pid"

    def find_master(self):
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            return psutil.Process(int(self.pid_file.read_text()))
        return None

    def stop(self, by=signal.SIGTERM):
        """Nobody is told its status; some remove their pid file if they end in order."""
        self.process.wait(30)
        self.master.send_signal(by)
        wait_until(lambda: not self.is_running(), "it stopped")
        return self.pid_file.exists()

    def __exit__(self, *_):
        self.master = self.master or self.find_master()
        super().__exit__()


def observed(server_class, environment):
    """What its clients saw, twice; the status that it ended with; what the shim said. It may wait for
    its turn before it says anything, so those that have something to say are used until then."""
    with server_class(environment) as server:
        replies = [server.use(), server.use()]
        assert server.is_running()
        wait_until(
            lambda: not environment or server.said in server.log() or not server.use(),
            f"it says '{server.said}', see {server.log_file}",
        )
        return replies, server.stop(), server.log()


def strangers(*server_classes):
    """For a test that each of them has to pass by itself, and where SL_LEAVE names a way."""
    classes = pytest.mark.parametrize("server_class", server_classes, ids=lambda one: one.__name__)
    ways = pytest.mark.parametrize("way", [None, "_exit@idle"], ids=["by itself", "told to leave"])
    return lambda test: ways(classes(test))


def assert_unharmed(server_class, way):
    """Also where SL_LEAVE names a way: none of them has workers whose places would be filled."""
    replies, status, _ = observed(server_class, {})
    limits = shim(SL_MAX_SIZE=1, SL_MAX_CONNECTIONS=1) | ({"SL_LEAVE": way} if way else {})
    shimmed_replies, shimmed_status, log = observed(server_class, limits)
    print(log)
    assert (shimmed_replies, shimmed_status) == (replies, status)
    assert server_class.said in log
    assert "in a way that slshim does not see" not in log
    assert len(leavings(log)) <= (server_class.trials if way else 0)


# ------------------------------------------- those that other tests use, too


class Redis(Stranger):
    def command(self):
        return [tool("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]

    def ask(self, *words):
        command = [tool("redis-cli"), "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    def use(self):
        """Connections of their own, and a child that saves what there is."""
        answers = [self.ask("incr", "count") and self.ask("ping") for _ in range(100)]
        saving = self.ask("bgsave")
        wait_until(lambda: "rdb_bgsave_in_progress:0" in self.ask("info"), "it has saved")
        return answers, saving, "rdb_last_bgsave_status:ok" in self.ask("info")


class Memcached(Daemon):
    """-d: forks once after it listens, so a rule that looks only at the pid takes it for a worker."""

    said = "its parent is gone"

    def command(self):
        user = ["-u", "nobody"] if as_root() else []
        pid_file = str(self.pid_file)
        return [tool("memcached"), "-d", "-l", "127.0.0.1", "-p", str(self.port), "-P", pid_file, *user]

    def prepare(self):
        if as_root():
            shutil.chown(self.directory, "nobody")

    def use(self):
        return [
            exchange(self.port, b"set key 0 0 2\r\nok\r\nget key\r\nquit\r\n", b"\0")
            for _ in range(300)
        ]


class SocatFork(Stranger):
    """Accepts in the parent, forks for each connection."""

    def command(self):
        return [tool("socat"), f"TCP-LISTEN:{self.port},bind=127.0.0.1,fork,reuseaddr", "EXEC:cat"]

    def use(self):
        return [exchange(self.port, b"hello\n", b"\n") for _ in range(100)]


class PhpBuiltIn(Stranger):
    """php -S: its master never replaces a worker, and accepts as well."""

    said = "is over a limit and stays"
    trials = 1

    def __init__(self, environment):
        super().__init__(environment | {"PHP_CLI_SERVER_WORKERS": "4", "SL_REPLACE_TIMEOUT": "1s"})

    def command(self):
        (self.directory / "index.php").write_text("<?php echo 'ok';")
        return [tool("php"), "-S", f"127.0.0.1:{self.port}", "-t", str(self.directory)]

    def use(self):
        self.wait_until_settled(3)
        url = f"http://127.0.0.1:{self.port}/"
        load = ab(url, 20000).expect_good()
        return load.requests

    def stop(self, by=signal.SIGINT):
        """As from a terminal: all of them are told."""
        for worker in self.workers():
            worker.send_signal(by)
        return super().stop(by)


class Postgres(Stranger):
    """Backends are forked for each connection and call setsid()."""

    def programs(self):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        return found[-1] if found else Path(tool("initdb")).parent

    def user(self):
        return {"user": "postgres", "group": "postgres"} if as_root() else {}

    def prepare(self):
        if as_root():
            shutil.chown(self.directory, "postgres", "postgres")
        subprocess.run(
            [f"{self.programs()}/initdb", "-D", str(self.directory / "data"), "-A", "trust", "-U", "me"],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"LC_ALL": "C"},
            cwd=self.directory,
            **self.user(),
        )

    def spawn(self, command, **arguments):
        super().spawn(command, **arguments, **self.user())

    def command(self):
        return [
            *[f"{self.programs()}/postgres", "-D", str(self.directory / "data"), "-h", "127.0.0.1"],
            *["-p", str(self.port), "-k", str(self.directory)],
        ]

    def find_master(self):
        ready = subprocess.run(
            [f"{self.programs()}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        )
        return super().find_master() if ready.returncode == 0 else None

    def pgbench(self, *options):
        done = subprocess.run(
            [
                *[f"{self.programs()}/pgbench", "-h", "127.0.0.1", "-p", str(self.port), "-U", "me"],
                *options,
                "postgres",
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return re.findall(r"(?:processed|failed transactions): (\S+)", done.stdout)

    def use(self):
        self.pgbench("-i", "-q")
        return self.pgbench("-C", "-S", "-n", "-c", "4", "-t", "60")
