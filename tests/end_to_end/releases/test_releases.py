"""One build of the library, made on Debian 11 with the oldest C library of those that Debian still
supports, in the servers of each later release: each as the release ships and starts it, in a
machine that has booted it."""

import shutil
import textwrap
import time
from dataclasses import dataclass

import pytest

from debian import Debian
from marks import long
from servers import BUILD, PATIENCE, TOP, leavings, number

# Tests that run side by side have no network to make trees with.
pytestmark = pytest.mark.alone

OLDEST = "bullseye"
BUILD_NEEDS = ["gcc", "libc6-dev", "make"]
SERVERS = ["apache2", "apache2-utils", "gunicorn", "nginx", "php-fpm", "puma"]
# The current one, and others from the oldest to the one to come.
RELEASES = ["trixie"]
RELEASES += long(OLDEST, "bookworm", "testing")
LIBRARY = "/usr/local/lib/libslshim.so"
LOG = "/var/log/slshim.log"
ENVIRONMENT = {"LD_PRELOAD": LIBRARY, "SL_MAX_CONNECTIONS": "20", "SL_LOG": LOG}
LEAVINGS = 5

APPLICATIONS = {
    "/srv/application.py": """
        def application(environ, start_response):
            start_response("200 OK", [("Content-Length", "3")])
            return [b"ok\\n"]
        """,
    "/srv/config.ru": """
        run lambda { |_| [200, {"content-length" => "3"}, ["ok\\n"]] }
        """,
    "/var/www/html/index.php": """
        ok
        """,
    "/etc/nginx/sites-enabled/default": """
        server {
            listen 127.0.0.1:80;
            root /var/www/html;
            location / { return 200 "ok\\n"; }
            location ~ \\.php$ {
                include snippets/fastcgi-php.conf;
                fastcgi_pass unix:@php-fpm@;
            }
        }
        """,
}


@pytest.fixture(scope="module")
def build():
    """The library that was built on the oldest release."""
    source = "/root/slshim"
    with Debian(OLDEST, *BUILD_NEEDS) as machine:
        ignored = shutil.ignore_patterns("build", ".git", "autom4te.cache")
        shutil.copytree(TOP, machine.root / source.lstrip("/"), ignore=ignored)
        machine.run(f"cd {source} && ./configure -q && make -s libslshim.la", timeout=1200)
        place = BUILD / "built-on-oldest.so"
        shutil.copy(machine.root / source.lstrip("/") / ".libs" / "libslshim.so", place)
    return place


@pytest.fixture(scope="module", params=RELEASES)
def machine(request, build):
    """A machine with the servers, none of which has started, and with the library."""
    with Debian(request.param, *SERVERS) as machine:
        shutil.copy(build, machine.root / LIBRARY.lstrip("/"))
        for path, text in APPLICATIONS.items():
            machine.write(path, textwrap.dedent(text).lstrip())
        machine.run("sed -i 's/^worker_processes .*/worker_processes 4;/' /etc/nginx/nginx.conf")
        socket = machine.run("sed -n 's/^listen = //p' /etc/php/*/fpm/pool.d/www.conf").strip()
        machine.run(f"sed -i 's,@php-fpm@,{socket},' /etc/nginx/sites-enabled/default")
        machine.run("systemctl stop apache2 nginx 'php*-fpm'")
        yield machine


@dataclass
class Unit:
    """A server with a unit of its own; `also` are those that it takes for a request."""

    name: str
    url: str = "http://127.0.0.1/"
    before: str = "true"
    also: str = ""

    def start(self, machine):
        machine.run(self.before)
        self.unit = machine.run(f"systemctl list-unit-files --no-legend '{self.name}.service'").split()[0]
        lines = "".join(f"Environment={name}={value}\n" for name, value in ENVIRONMENT.items())
        machine.write(f"/etc/systemd/system/{self.unit}.d/slshim.conf", f"[Service]\n{lines}")
        machine.run(f"systemctl daemon-reload && systemctl restart {self.unit} {self.also}")

    def stop(self, machine):
        machine.run(f"systemctl stop {self.unit} {self.also}")


@dataclass
class Command:
    """A server that brings no unit."""

    name: str
    command: str
    url: str = "http://127.0.0.1:8000/"

    def start(self, machine):
        self.unit = f"{self.name}.service"
        variables = " ".join(f"-E {name}={value}" for name, value in ENVIRONMENT.items())
        machine.run(
            f"systemd-run -q --unit={self.name} -p WorkingDirectory=/srv {variables} {self.command}"
        )

    def stop(self, machine):
        machine.run(f"systemctl stop {self.unit}")


def apache2(mpm):
    other = {"event": "prefork", "prefork": "event"}[mpm]
    return Unit("apache2", before=f"a2dismod -q mpm_{other}; a2enmod -q mpm_{mpm}")


EACH = {
    "httpd, event": apache2("event"),
    "httpd, prefork": apache2("prefork"),
    "php-fpm": Unit("php*-fpm", "http://127.0.0.1/index.php", also="nginx"),
    "nginx": Unit("nginx"),
    "gunicorn": Command("gunicorn", "/usr/bin/gunicorn -w 4 -b 127.0.0.1:8000 application"),
    "puma": Command("puma", "/usr/bin/puma -w 4 -e production -b tcp://127.0.0.1:8000 config.ru"),
}


def log(machine):
    return machine.run(f"cat {LOG}")


@pytest.mark.parametrize("server", EACH.values(), ids=EACH)
def test_recycles_and_loses_nothing(machine, server):
    if machine.tree.name.startswith(OLDEST) and server is EACH["httpd, event"]:
        pytest.xfail("its children have two pipes that may be the pipe of death, and stay")
    machine.run(f"truncate -s 0 {LOG} && chmod 666 {LOG}")
    server.start(machine)
    try:
        machine.run(f"curl -sSf --retry 30 --retry-delay 1 --retry-connrefused {server.url}")
        end = time.monotonic() + PATIENCE
        while len(leavings(log(machine))) < LEAVINGS and time.monotonic() < end:
            load = machine.run(f"ab -q -n 500 -c 4 {server.url}")
            assert number(r"Complete requests: +(\d+)", load) == 500
            assert number(r"Failed requests: +(\d+)", load) == 0, load
            assert "Non-2xx" not in load, load
        assert len(leavings(log(machine))) >= LEAVINGS, log(machine)
        assert machine.run(f"systemctl is-active {server.unit}") == "active\n"
    finally:
        server.stop(machine)
