"""Servers of data and pages that slshim knows nothing of never notice it."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from servers import ab, as_root, tool, wait_until
from strangers import Daemon, Stranger, assert_unharmed, exchange, strangers


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


class HaproxyMasterWorker(Stranger):
    """-W: the only worker is a forked child that accepts on an inherited listener."""

    said = "is over a limit and stays"

    def command(self):
        (self.directory / "haproxy.cfg").write_text(f"""
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 10s
frontend all
    bind 127.0.0.1:{self.port}
    http-request return status 200 content-type text/plain string ok
""")
        return [tool("haproxy"), "-W", "-f", str(self.directory / "haproxy.cfg")]

    def use(self):
        load = ab(f"http://127.0.0.1:{self.port}/", 3000)
        assert load.failed == 0, load.output
        return load.requests


class PhpBuiltIn(Stranger):
    """Its master never replaces a worker, and accepts as well."""

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
        load = ab(url, 20000)
        assert load.failed == 0, load.output
        return load.requests

    def stop(self, by=signal.SIGINT):
        """As from a terminal: all of them are told."""
        for worker in self.workers():
            worker.send_signal(by)
        return super().stop(by)


class SocatFork(Stranger):
    """Accepts in the parent, forks for each connection."""

    def command(self):
        return [tool("socat"), f"TCP-LISTEN:{self.port},bind=127.0.0.1,fork,reuseaddr", "EXEC:cat"]

    def use(self):
        return [exchange(self.port, b"hello\n", b"\n") for _ in range(100)]


class ForkingMixIn(Stranger):
    """Python's server that forks for each connection, itself in a forked child."""

    def command(self):
        script = self.directory / "server.py"
        script.write_text(f"""
import multiprocessing, signal, socketserver, sys

class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline())

class Server(socketserver.ForkingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 128

server = Server(("127.0.0.1", {self.port}), Echo)
child = multiprocessing.Process(target=server.serve_forever)
child.start()
signal.signal(signal.SIGTERM, lambda *_: (child.terminate(), child.join(), sys.exit(0)))
child.join()
""")
        return ["/usr/bin/python3", str(script)]

    def use(self):
        return [exchange(self.port, b"hello\n", b"\n") for _ in range(200)]


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


class PumaSingle(Stranger):
    """One process; its threads answer."""

    said = ""

    def command(self):
        application = self.directory / "config.ru"
        application.write_text("run ->(_) { [200, { 'Content-Type' => 'text/plain' }, ['ok']] }")
        return [tool("puma"), "-b", f"tcp://127.0.0.1:{self.port}", str(application)]

    def use(self):
        load = ab(f"http://127.0.0.1:{self.port}/", 1000)
        assert load.failed == 0, load.output
        return load.requests


SERVERS = [
    *[Redis, Memcached, HaproxyMasterWorker, PhpBuiltIn, PumaSingle, SocatFork, ForkingMixIn],
    Postgres,
]


@strangers(*SERVERS)
def test_unharmed(server_class, way):
    assert_unharmed(server_class, way)
