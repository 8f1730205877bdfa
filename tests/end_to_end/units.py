"""A Debian 13 that has the servers of slshim-servers(7) as packages, with units of their own, and the
library and the command where `make install` puts them."""

import contextlib
import shutil
import time
from pathlib import Path

import psutil

from debian import Debian
from servers import BUILD, LIBRARY, PATIENCE, Missing, ab, wait_until

PACKAGES = [
    *["apache2", "libapache2-mod-perl2", "php-fpm", "nginx", "gunicorn", "python3", "unicorn", "puma"],
    *["uwsgi", "uwsgi-plugin-python3", "starman", "lighttpd", "spamd", "spamc", "pgpool2"],
    *["postgresql", "postfix", "dovecot-imapd", "supervisor", "redis-server"],
    *["prometheus-node-exporter", "libjansson4", "libsmartcols1", "libmicrohttpd12", "libncursesw6"],
    "init-system-helpers",
]
# What starts by itself, and would take ports and processor time from the others.
STARTED = [
    *["apache2", "dovecot", "lighttpd", "nginx", "pgpool2", "php8.4-fpm", "postfix", "postgresql"],
    *["prometheus-node-exporter", "redis-server", "spamd", "supervisor", "unicorn", "uwsgi"],
]

# Each keeps a bit of memory for each request, on 127.0.0.1:8000.
APPLICATIONS = {
    "/srv/app/app.py": """
kept = []


def application(environ, start_response):
    kept.append(bytearray(500_000))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok\\n"]
""",
    "/srv/app/config.ru": """
run lambda { |env| [200, { "content-type" => "text/plain" }, ["ok\\n"]] }
""",
    "/srv/app/app.psgi": """
sub { [200, ["Content-Type" => "text/plain"], ["ok\\n"]] }
""",
    "/srv/app/unicorn.rb": """
working_directory "/srv/app"
listen "127.0.0.1:8000"
worker_processes 4
""",
    "/srv/app/puma.rb": """
workers 4
bind "tcp://127.0.0.1:8000"
rackup "/srv/app/config.ru"
""",
    "/srv/app/uwsgi.ini": """
[uwsgi]
plugin = python3
chdir = /srv/app
module = app
http-socket = 127.0.0.1:8000
master = true
processes = 4
die-on-term = true
""",
}


class Machine(Debian):
    def __init__(self):
        super().__init__("trixie", *PACKAGES)
        self._before = {}  # path: what was there, or None

    def __enter__(self):
        super().__enter__()
        try:
            self._prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _prepare(self):
        if not (BUILD / "slshim").exists():
            raise Missing("the command is not built")
        for name in ("libslshim.so", "libslshim.so.0"):
            shutil.copy(LIBRARY.resolve(), self.root / "usr/local/lib" / name)
        shutil.copy(BUILD / "slshim", self.root / "usr/local/bin/slshim")
        self.run("slshim --version")
        # One that is stopped before it listens ignores that.
        wait_until(lambda: self.is_listening(9999), "pgpool listens")
        self.run(f"systemctl stop {' '.join(STARTED)}")
        self.run("systemctl reset-failed")
        for path, text in APPLICATIONS.items():
            self.write(path, text)

    # --------------------------------------------------------------- files, put back after a test

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text(errors="replace")

    def put(self, path, text):
        """Writes a file until put_back()."""
        place = self.root / path.lstrip("/")
        self._before.setdefault(path, place.read_text() if place.exists() else None)
        self.write(path, text)

    def append(self, path, text):
        self.put(path, self.read(path) + text if (self.root / path.lstrip("/")).exists() else text)

    def put_back(self):
        for path, text in self._before.items():
            if text is None:
                (self.root / path.lstrip("/")).unlink()
            else:
                self.write(path, text)
        self._before = {}
        self.run("systemctl daemon-reload")

    # ---------------------------------------------------------------------------------- units

    def restart(self, unit):
        """With what its files now say."""
        self.run("systemctl daemon-reload")
        done = self.try_run(f"systemctl restart {unit}")
        assert done.returncode == 0, done.stderr + self.journal(f"-u {unit} -n 30")

    def stop(self, unit):
        self.run(f"systemctl stop {unit}")
        self.try_run(f"systemctl reset-failed {unit}")

    def property(self, unit, name):
        return self.run(f"systemctl show -P {name} {unit}").strip()

    def journal(self, options):
        return self.run(f"journalctl -q -o cat {options}")

    def processes(self, unit):
        """Those of its control group, as psutil.Process."""
        group = self.property(unit, "ControlGroup")
        files = (self.root / f"sys/fs/cgroup{group}").rglob("cgroup.procs") if group else []
        return [psutil.Process(int(pid)) for file in files for pid in file.read_text().split()]

    def workers(self, unit):
        """Those whose parent is a process of the unit."""
        processes = self.processes(unit)
        with contextlib.suppress(psutil.NoSuchProcess):
            return [process for process in processes if process.parent() in processes]
        return []

    # ----------------------------------------------------------------------------------- load

    def is_listening(self, port):
        return bool(self.run(f"ss -Hltn 'sport = :{port}'"))

    def ab(self, url, requests=200, clients=4):
        return ab(url, requests, clients, network=self.pid)

    def load_until(self, is_enough, load, seconds=PATIENCE):
        """Loads it again and again, until so; no request fails."""
        end = time.monotonic() + seconds
        while True:
            load()
            if is_enough():
                return
            assert time.monotonic() < end, f"not in {seconds} s of load"


def http(url):
    return lambda machine: machine.ab(url).expect_good()


def script(text):
    """A load of its own, whose status says whether all went well."""
    return lambda machine: machine.run(text)


def has_library(process):
    with contextlib.suppress(OSError):
        return "libslshim.so" in Path(f"/proc/{process.pid}/maps").read_text()
    return False
