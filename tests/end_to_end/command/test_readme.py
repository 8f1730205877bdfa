"""The README's way from nothing to a limit, with its own commands, as a new administrator would go it:
with Debian's apache2 in Debian's configuration, and a handler whose memory grows.

Of the commands only the paths are others, so that no server of the machine's is touched. There may be
no systemd to talk to: a stand-in for systemctl restarts the server with what the drop-in sets."""

import re
import shutil
import subprocess
from pathlib import Path

import psutil
import pytest

from servers import (
    BUILD, LIBRARY, TOP, Missing, Repeated, Server, ab, accepts, as_root, free_port, growing, tool,
    wait_until
)  # fmt: skip
from terminal import Terminal

DEBIAN = Path("/etc/apache2")
MODULES = ["authz_core", "alias", "dir", "mime", "mpm_prefork", "perl", "reqtimeout", "setenvif"]
DROP_IN = "/etc/systemd/system/apache2.service.d/override.conf"

# systemd stops the unit, and starts it with the variables of its drop-in. An assignment here has no
# quotes and no specifiers.
SYSTEMCTL = """#!/bin/sh
test "$*" = "restart apache2" || exit 64
apache2ctl -k stop
while test -e {run}/apache2.pid; do sleep 0.05; done
env $(sed -n 's/^Environment=//p' {drop_in}) apache2ctl -k start
"""


def commands():
    """Of that section, in order: the indented lines, but for what belongs into a file."""
    text = (TOP / "README.md").read_text()
    section = re.search(r"^## From nothing to a limit\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
    lines = re.findall(r"^    (\S.*)$", section, re.MULTILINE)
    return [line for line in lines if not re.match(r"\[|Environment=", line)]


class DebiansApache(Server):
    """As its package sets it up, with a port and directories of its own."""

    def __init__(self):
        super().__init__()
        if not DEBIAN.exists() or not (DEBIAN / "mods-available" / "perl.load").exists():
            raise Missing("apache2 or libapache2-mod-perl2 is not installed")
        tool("apache2")
        self.port = free_port()
        for name in ("run", "log", "lock", "bin"):
            (self.directory / name).mkdir()
        self.drop_in = self.directory / "override.conf"
        self.drop_in.touch()
        self._configure()
        self._make_systemctl()
        self.environment |= {
            "PATH": f"{self.directory}/bin:{BUILD}:/usr/sbin:/usr/bin:/sbin:/bin",
            "APACHE_CONFDIR": str(self.directory / "apache2"),
        }

    def _configure(self):
        configuration = self.directory / "apache2"
        shutil.copytree(DEBIAN, configuration, symlinks=True)
        for enabled in (configuration / "mods-enabled").iterdir():
            enabled.unlink()
        for module in MODULES:
            for file in (configuration / "mods-available").glob(f"{module}.*"):
                (configuration / "mods-enabled" / file.name).symlink_to(file)
        (configuration / "ports.conf").write_text(f"Listen 127.0.0.1:{self.port}\n")
        for site in (configuration / "sites-enabled").iterdir():
            site.unlink()
        handler = growing(preloaded_mb=4, unshared_kb=8)
        site = configuration / "sites-enabled" / "grow.conf"
        site.write_text(f"ServerName localhost\n{handler.replace('@directory@', str(self.directory))}")
        variables = (configuration / "envvars").read_text()
        for name in ("run", "log", "lock"):
            variables = variables.replace(f"/var/{name}/apache2$SUFFIX", f"{self.directory}/{name}")
        (configuration / "envvars").write_text(variables)

    def _make_systemctl(self):
        script = self.directory / "bin" / "systemctl"
        script.write_text(SYSTEMCTL.format(run=self.directory / "run", drop_in=self.drop_in))
        script.chmod(0o755)

    def log(self):
        return (self.directory / "log" / "error.log").read_text()

    def url(self, path="/grow"):
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self):
        self.command("apache2ctl -k start")
        self.find_master()

    def find_master(self):
        pid = self.directory / "run" / "apache2.pid"
        wait_until(lambda: pid.exists() and pid.read_text(), "it has a pid")
        self.master = psutil.Process(int(pid.read_text()))
        wait_until(lambda: accepts(self.port), f"it answers, see {self.directory}")

    def command(self, line, status=0):
        """As a shell would have it; returns what it wrote."""
        for theirs, ours in {
            DROP_IN: self.drop_in,
            "/run/apache2": self.directory / "run",
            "/var/log/apache2": self.directory / "log",
        }.items():
            line = line.replace(theirs, str(ours))
        print("$", line)
        done = subprocess.run(
            line, shell=True, env=self.environment, cwd=self.directory, text=True, capture_output=True,
            timeout=120,
        )  # fmt: skip
        print(done.stdout, done.stderr, sep="")
        assert done.returncode == status, line
        return done.stdout

    def edit(self, settings):
        """systemctl edit apache2"""
        lines = ["[Service]", f"Environment=LD_PRELOAD={LIBRARY}", f"Environment={settings}", ""]
        self.drop_in.write_text("\n".join(lines))


class Clients(Repeated):
    """So many requests, again and again."""

    def __init__(self, server, requests):
        super().__init__(0.2, self._come)
        self.url, self.requests, self.loads = server.url(), requests, []

    def _come(self):
        self.loads.append(ab(self.url, self.requests, clients=4))

    def __exit__(self, *_):
        super().__exit__()
        for load in self.loads:
            load.expect_good()


@pytest.mark.skipif(not as_root(), reason="Debian's configuration starts as root")
def test_from_nothing_to_a_limit():
    advise, check, restart, advise_again, restart_again, status, top, metrics, grep, report = commands()
    with DebiansApache() as server:
        with Clients(server, 10):
            told = server.command(advise)
        assert told.startswith(f"Pool:        apache2, master {server.master.pid}, ")
        limit = re.search(r"^Set first:   (SL_MAX_UNSHARED=\d+[KM]) SL_DRY_RUN=1$", told, re.M)[1]
        server.edit(f"{limit} SL_DRY_RUN=1")
        understood = server.command(check)
        assert re.search(r"^understood: SL_MAX_UNSHARED=\d+ KB .*SL_DRY_RUN=1$", understood, re.M)

        server.command(restart)
        server.find_master()
        with Clients(server, 10):
            rehearsed = server.command(advise_again)
        assert "It came as predicted." in rehearsed and "unknown" not in rehearsed

        server.edit(limit)
        server.command(restart_again)
        server.find_master()
        with Clients(server, 5000):
            wait_until(lambda: len(server.leavings()) >= 5, "five have left")
            with Terminal(top.split(), **server.environment) as terminal:
                terminal.wait_for_text("apache2", f"master {server.master.pid}", "unshared")
                terminal.press("q")
                assert terminal.end() == 0
        left = len(server.leavings())
        shown = server.command(status)
        assert str(server.master.pid) in shown and "SL_MAX_UNSHARED" in shown
        of_this_pool = rf'^slshim_workers_left_total\{{.*"127.0.0.1:{server.port}".*\}} (\d+)$'
        counted = re.findall(of_this_pool, server.command(metrics), re.M)
        assert counted == [str(left)]
        assert len(server.command(grep).splitlines()) == left
        server.command(report)
        assert f'data-count="{left}"' in (server.directory / "workers.html").read_text()
        server.command("apache2ctl -k stop")
        wait_until(lambda: not server.is_running(), "it has stopped")
