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
import time
from pathlib import Path

import psutil
import pytest

from servers import Missing, tool, wait_until

BOOT = Path(__file__).parent / "boot.sh"
# In Debian 11 /bin is no link yet.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INIT = ["sh", "-c", "exec env -i container=namespaces /sbin/init >/dev/null 2>&1"]
# Kept for all builds, and for so many seconds, because a release changes.
TREES = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "slshim"
KEPT_FOR = 7 * 24 * 3600
# Not supported any more: its security archive names packages that it has no longer.
ENDED = {"bullseye"}
# A mirror that is weeks behind will do.
MAKE_TREE = ["--quiet", '--aptopt=Acquire::Check-Valid-Until "false"']
# What it mounts in a tree is gone with it, whatever ends it, so that the tree can be removed.
WITH_OWN_MOUNTS = ["unshare", "--mount"]
# What each machine has: systemd, and what the tests ask it with.
BASE = ["systemd", "systemd-sysv", "dbus", "ca-certificates", "iproute2", "procps", "curl"]


def host_mirror():
    """The first one of the host's: of a release without its updates."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    places = subprocess.check_output(command, text=True).split()
    return [place for place in places if "security" not in place][:1]


def made_once(release, packages, name, options, mirror):
    """The path of a tree with these packages; made once, and kept for a week."""
    digest = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    place = TREES / f"{name}-{digest}"
    if os.getuid() != 0:
        raise Missing("another Debian takes root")
    if "SLSHIM_CELL" in os.environ:
        pytest.skip("a cell has no network to make a tree with, and its host runs this")
    TREES.mkdir(parents=True, exist_ok=True)
    with open(f"{place}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists() or time.time() - place.stat().st_mtime > KEPT_FOR:
            unfinished = Path(f"{place}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            subprocess.run(
                [*WITH_OWN_MOUNTS, tool("mmdebstrap"), *MAKE_TREE, *options]
                + [f"--include={','.join(packages)}", release, unfinished, *mirror],
                check=True,
            )
            os.utime(unfinished)
            shutil.rmtree(place, ignore_errors=True)
            unfinished.rename(place)
    return place


def tree(release, *packages):
    """A tree that a machine can boot."""
    mirror = host_mirror() if release in ENDED else []  # mmdebstrap would not choose it by itself
    return made_once(release, sorted({*BASE, *packages}), release, ["--variant=minbase"], mirror)


def unpacked(release, architecture, *packages):
    """A tree of another architecture, into which the packages are only unpacked. The updates of some
    architectures are not the same everywhere for hours."""
    options = ["--variant=extract", f"--architectures={architecture}"]
    options += ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"]
    return made_once(release, sorted(packages), f"{release}-{architecture}", options, host_mirror())


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
        command = [BOOT, self.tree, self.group, *INIT]
        self.boot = subprocess.Popen(command, stdin=subprocess.DEVNULL)
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
        """Its / as seen from outside: files without links in their way are read and written through it."""
        return Path(f"/proc/{self.pid}/root")

    def try_run(self, command, **options):
        """Runs a command line of the shell as root of the machine, and returns what came of it."""
        inside = ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-i", "-u", "-C", "env", "-i"]
        inside += [f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8"]
        options = {"timeout": 300, "text": True, "capture_output": True} | options
        return subprocess.run([*inside, "sh", "-euc", command], **options)

    def run(self, command, **options):
        """As try_run, but it must succeed; returns what it printed."""
        done = self.try_run(command, **options)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path, text):
        """Writes a file, with the folders that it is in. From within, because from outside an absolute
        link would lead out of the machine."""
        self.run(f"mkdir -p '{Path(path).parent}' && cat >'{path}'", input=text)

    def install(self, *files):
        """Installs package files from outside. There is no network: the tree has what they need."""
        for file in files:
            shutil.copy(file, self.root / "root")
        names = " ".join(f"/root/{Path(file).name}" for file in files)
        self.run(f"DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {names}")
