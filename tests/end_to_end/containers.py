"""Containers and pods by podman, with its own default settings: a real runtime, without a daemon.

All of it runs in a user namespace, because root may lack a right that the runtime would need
otherwise, and in one control group, with which everything ends. Nothing here knows slshim."""

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

from debian import unified_hierarchy
from servers import BUILD, Missing, tool, wait_until

STORAGE = BUILD / "containers"

# By itself podman would set limits that may be above ours, and limit the number of processes by a
# control group, which may have no controller for that.
SETTINGS = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
pids_limit = 0
"""


# crun gives /dev/null, which is the host's, to the user of a container that has it as its standard
# input. It cannot where /dev was read-only before there was a user namespace.
HOLD = [
    "sh", "-euc",
    '''
    echo $$ >"$0/cgroup.procs"
    mount --rbind /dev /dev
    mount -o remount,bind,ro /dev
    exec unshare --user --mount --cgroup cat
    ''',
]  # fmt: skip


class Podman:
    def __enter__(self):
        if os.getuid() != 0:
            raise Missing("podman's namespaces take root")
        tool("podman"), tool("crun")
        STORAGE.mkdir(exist_ok=True)
        self.directory = Path(tempfile.mkdtemp(prefix="slshim-podman-"))
        (self.directory / "containers.conf").write_text(SETTINGS)
        self.group = Path(tempfile.mkdtemp(prefix="slshim-", dir=unified_hierarchy()))
        (self.group / "own").mkdir()
        self.lent = None
        try:
            self._lend_controller()
            self._make_namespaces()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _lend_controller(self):
        """Podman cannot make a control group where there is no controller at all: where the group has
        none, it is given one of those that the group above has, until the end."""
        if (self.group / "cgroup.controllers").read_text().split():
            return
        above = (self.group.parent / "cgroup.controllers").read_text().split()
        if not above:
            raise Missing("no controller is in use by control groups of version 2")
        (self.group.parent / "cgroup.subtree_control").write_text(f"+{above[0]}")
        self.lent = above[0]

    def _make_namespaces(self):
        """They are those of a process that waits."""
        self.holder = subprocess.Popen(["unshare", "--mount", *HOLD, self.group], stdin=subprocess.PIPE)
        place = Path(f"/proc/{self.holder.pid}")
        wait_until(lambda: (place / "comm").read_text() == "cat\n", "the namespaces are there")
        for kind in ("uid_map", "gid_map"):
            (place / kind).write_text("0 0 65536\n")
        (self.group / "own" / "cgroup.procs").write_text(str(self.holder.pid))
        self._inside("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
        # Where podman has what is gone after a boot: each use of its images is one.
        self._inside("mount", "-t", "tmpfs", "tmpfs", "/run")

    def _inside(self, *words, **options):
        """Runs a command line in the namespaces."""
        enter = ["nsenter", "-t", str(self.holder.pid), "-U", "-m", "-C"]
        command = ["sh", "-euc", 'echo $$ >"$0/own/cgroup.procs"; exec "$@"', self.group, *enter, *words]
        options = {"text": True, "capture_output": True, "timeout": 600} | options
        environment = os.environ | {"CONTAINERS_CONF": str(self.directory / "containers.conf")}
        done = subprocess.run(list(map(str, command)), env=environment, **options)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def __call__(self, *words, **options):
        """A command of podman's; what it printed."""
        print("+ podman", *words)
        return self._inside(
            "podman", "--root", STORAGE, "--runroot", "/run/containers", "--storage-driver", "overlay",
            "--cgroup-manager", "cgroupfs", "--events-backend", "none", *words, **options,
        )  # fmt: skip

    def has_image(self, name):
        return name in self("images", "--format", "{{.Repository}}:{{.Tag}}").split()

    def import_tree(self, tree):
        """An image of a Debian tree, made once; its name."""
        name = f"localhost/{tree.name}:latest"
        if not self.has_image(name):
            with subprocess.Popen(
                ["tar", "-C", tree, "--exclude=./dev/*", "-c", "."], stdout=subprocess.PIPE
            ) as archive:
                self("import", "-q", "-", name, stdin=archive.stdout)
        return name

    def build(self, name, context, *options):
        """The image that a Containerfile makes."""
        self("build", "-q", "--isolation", "chroot", "-t", name, *options, context, timeout=1800)

    def pid(self, container):
        """The first process of a container, as seen from here; 0 when it has ended."""
        (state,) = json.loads(self("inspect", container))
        return state["State"]["Pid"]

    def __exit__(self, *_):
        (self.group / "cgroup.kill").write_text("1")
        if hasattr(self, "holder"):
            self.holder.wait(30)
            self.holder.stdin.close()
        wait_until(lambda: "populated 0" in (self.group / "cgroup.events").read_text(), "all have ended")
        for group in sorted(self.group.glob("**/"), reverse=True):
            with contextlib.suppress(FileNotFoundError):
                group.rmdir()
        if self.lent:
            (self.group.parent / "cgroup.subtree_control").write_text(f"-{self.lent}")
        subprocess.run(["rm", "-rf", self.directory], check=True)
