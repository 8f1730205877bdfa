"""Servers of files never notice slshim."""

import hashlib
import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

from servers import Missing, as_root, at_once, tool
from strangers import Stranger, assert_unharmed, strangers


def digest(content):
    return hashlib.sha256(content).hexdigest()


def contents(directory):
    """The files below a directory, and a digest of each."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return sorted((str(path.relative_to(directory)), digest(path.read_bytes())) for path in files)


class FileServer(Stranger):
    """Has a small tree to give away; its times are fixed, as they are in listings."""

    @property
    def tree(self):
        return self.directory / "tree"

    def prepare(self):
        for name, size in (("large", 300_000), ("below/small", 6), ("below/empty", 0)):
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"hello\n" * (size // 6))
            os.utime(path, (10**9, 10**9))
        os.utime(self.tree / "below", (10**9, 10**9))


class Ftp(FileServer):
    """A child for each client, which itself listens where the client is to fetch its data."""

    said = "it accepts on a socket that it opened itself"  # as root, locked into the tree

    def fetch(self, *options):
        """In one connection, both listings and both files; the data in connections of their own."""
        paths = ["", "large", "below/", "below/small"]
        urls = [f"ftp://127.0.0.1:{self.port}/{path}" for path in paths]
        command = [tool("curl"), "-sS", "--fail-early", *options, *urls]
        done = subprocess.run(command, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return digest(done.stdout)

    def use(self):
        """By EPSV and by PASV; at once, as some sleep when a child's end interrupts their wait."""
        return at_once(*[self.fetch, partial(self.fetch, "--disable-epsv")] * 4)


class Vsftpd(Ftp):
    """Makes its children by a bare clone(), in namespaces of their own, so that no fork is seen."""

    said = ""
    isolates = "YES"

    def command(self):
        (self.directory / "empty").mkdir()
        configuration = self.directory / "vsftpd.conf"
        configuration.write_text(f"""
listen=YES
background=NO
listen_address=127.0.0.1
listen_port={self.port}
run_as_launching_user={"NO" if as_root() else "YES"}
nopriv_user=nobody
ftp_username=daemon
secure_chroot_dir={self.directory}/empty
anon_root={self.tree}
no_anon_password=YES
isolate={self.isolates}
isolate_network={self.isolates}
""".lstrip())
        return [tool("vsftpd"), str(configuration)]


class VsftpdForking(Vsftpd):
    """With an ordinary fork."""

    said = Ftp.said
    isolates = "NO"


# A later release loads these, which an earlier one has built in.
MODULES = ["delay", "ls", "xfer"]


class Proftpd(Ftp):
    """Its anonymous clients are locked into the tree, but only after their child has read /proc."""

    said = FileServer.said

    def prepare(self):
        if not as_root():
            raise Missing("proftpd serves nobody without root")
        super().prepare()

    def command(self):
        program = Path(tool("proftpd"))
        modules = program.parents[1] / "lib/proftpd"
        there = [name for name in MODULES if (modules / f"mod_{name}.so").exists()]
        loaded = "\n".join(f"LoadModule mod_{name}.c" for name in there)
        configuration = self.directory / "proftpd.conf"
        configuration.write_text(f"""
ModulePath {modules}
{loaded}
DefaultAddress 127.0.0.1
SocketBindTight on
Port {self.port}
PidFile {self.directory}/pid
ScoreboardFile {self.directory}/scoreboard
SystemLog {self.directory}/log
TransferLog none
WtmpLog off
DelayEngine off
ControlsEngine off
AuthPAM off
UseFtpUsers off
User nobody
Group nogroup
<Anonymous {self.tree}>
User nobody
Group nogroup
UserAlias anonymous nobody
RequireValidShell off
</Anonymous>
""")
        return [str(program), "-n", "-c", str(configuration)]


class RsyncDaemon(FileServer):
    """A child for each connection, and one more of its own where it receives."""

    def command(self):
        configuration = self.directory / "rsyncd.conf"
        configuration.write_text(f"""
address = 127.0.0.1
port = {self.port}
pid file = {self.directory}/pid
log file = {self.directory}/log
use chroot = no
[tree]
    path = {self.tree}
[new]
    path = {self.directory}/new
    read only = no
    uid = {os.geteuid()}
""")
        return [tool("rsync"), "--daemon", "--no-detach", "--config", str(configuration)]

    def copy(self, source, target):
        subprocess.run([tool("rsync"), "-a", f"{source}/", f"{target}/"], timeout=60, check=True)

    def use(self):
        """From there and back, and what there is after that."""
        there = f"rsync://127.0.0.1:{self.port}"
        seen = []
        for _ in range(5):
            for name in ("new", "back"):
                shutil.rmtree(self.directory / name, ignore_errors=True)
                (self.directory / name).mkdir()
            self.copy(f"{there}/tree", self.directory / "back")
            self.copy(self.directory / "back", f"{there}/new")
            seen.append(contents(self.directory / "new"))
        return seen


@strangers(Vsftpd, VsftpdForking, Proftpd, RsyncDaemon)
def test_unharmed(server_class, way):
    assert_unharmed(server_class, way)
