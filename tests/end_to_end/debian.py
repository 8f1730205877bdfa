"""Debian machines, for the tests of packages, of systemd's settings and of other releases: a
release's tree, booted with its own systemd in namespaces (boot.sh). What is done in one is gone
with it. Nothing here knows slshim."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psutil

from servers import BUILD, Missing, tool, wait_until

BOOT = Path(__file__).parent / "boot.sh"
TREES = BUILD / "debian"
# What each machine has: systemd, and what the tests ask it with.
BASE = ["systemd", "systemd-sysv", "dbus", "ca-certificates", "iproute2", "procps", "curl"]


def tree(release, *packages):
    """The path of a tree with these packages; made once, and kept in the build."""
    packages = sorted({*BASE, *packages})
    name = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    place = TREES / f"{release}-{name}"
    if os.getuid() != 0:
        raise Missing("another Debian takes root")
    TREES.mkdir(exist_ok=True)
    with open(f"{place}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            unfinished = Path(f"{place}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            subprocess.run(
                [tool("mmdebstrap"), "--quiet", "--variant=minbase", f"--include={','.join(packages)}"]
                + [release, unfinished],
                check=True,
            )
            unfinished.rename(place)
    return place


def unified_hierarchy():
    """Where cgroup2 is mounted."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise Missing("cgroup2 is not mounted")


class Debian:
    """A machine, from when it has booted until the end of a with statement."""

    def __init__(self, release, *packages):
        self.tree = tree(release, *packages)
        self.group = Path(tempfile.mkdtemp(prefix="slshim-", dir=unified_hierarchy()))

    def __enter__(self):
        self.boot = subprocess.Popen([BOOT, self.tree, self.group], stdin=subprocess.DEVNULL)
        try:
            init = wait_until(lambda: psutil.Process(self.boot.pid).children(), "unshare has forked")[0]
            self.pid = init.pid
            wait_until(lambda: init.name() == "systemd", "systemd is the first process", 120)
            wait_until(
                lambda: self.try_run("systemctl is-system-running --wait").stdout.strip()
                in ("running", "degraded"),
                "the machine has booted",
                120,
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """With the first process of its namespaces end all of the machine's."""
        with contextlib.suppress(psutil.NoSuchProcess):
            init = psutil.Process(self.boot.pid).children()
            for process in init:
                process.kill()
        self.boot.wait(30)
        # The control groups that systemd made, the innermost first.
        for group in sorted(self.group.glob("**/"), reverse=True):
            wait_until(lambda: "populated 0" in (group / "cgroup.events").read_text(), f"{group} is empty")
            group.rmdir()

    @property
    def root(self):
        """Its / as seen from outside: files are read and written through it."""
        return Path(f"/proc/{self.pid}/root")

    def try_run(self, command, **options):
        """Runs a command line of the shell as root of the machine, and returns what came of it."""
        inside = ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-i", "-u", "-C", "env", "-i"]
        inside += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME=/root", "LANG=C.UTF-8"]
        options = {"timeout": 300, "text": True, "capture_output": True} | options
        return subprocess.run([*inside, "sh", "-euc", command], **options)

    def run(self, command, **options):
        """As try_run, but it must succeed; returns what it printed."""
        done = self.try_run(command, **options)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path, text):
        """Writes a file, with the folders that it is in."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def install(self, *files):
        """Installs package files from outside. There is no network: the tree has what they need."""
        for file in files:
            shutil.copy(file, self.root / "root")
        names = " ".join(f"/root/{Path(file).name}" for file in files)
        self.run(f"DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {names}")
