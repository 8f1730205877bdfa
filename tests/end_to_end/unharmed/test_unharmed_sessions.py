"""Servers that execute a program for each connection never notice slshim."""

import os
import pwd
import subprocess
from pathlib import Path

from servers import as_root, at_once, exchange, free_port, tool
from strangers import Daemon, Stranger, assert_unharmed, strangers


def user():
    return pwd.getpwuid(os.geteuid()).pw_name


def is_locked_out():
    """Where root has no password at all, sshd lets it in only if PAM does."""
    return as_root() and f"\n{user()}:!" in "\n" + Path("/etc/shadow").read_text()


class Sshd(Stranger):
    """Its children execute it anew, without its environment."""

    def options(self):
        return ["-D", "-e"]

    def make_key(self, name):
        key = self.directory / name
        subprocess.run([tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        return key

    def prepare(self):
        if as_root():
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it runs only with that
        self.key = self.make_key("key")
        (self.directory / "sshd_config").write_text(f"""
ListenAddress 127.0.0.1:{self.port}
HostKey {self.make_key("host_key")}
PidFile {self.directory}/pid
AuthorizedKeysFile {self.key}.pub
PasswordAuthentication no
StrictModes no
MaxStartups 100
PermitUserRC no
SetEnv HOME={self.directory}
UsePAM {"yes" if is_locked_out() else "no"}
""")

    def command(self):
        return [tool("sshd"), "-f", str(self.directory / "sshd_config"), *self.options()]

    def run_there(self, command):
        """What a shell command that exits with 3 writes there; the home has no files of the shell's."""
        options = [
            *["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"],
            *["IdentitiesOnly=yes", "LogLevel=ERROR"],
        ]
        done = subprocess.run(
            [
                *[tool("ssh"), "-F", "none", "-i", str(self.key), "-p", str(self.port)],
                *[word for option in options for word in ("-o", option)],
                *[f"{user()}@127.0.0.1", command],
            ],
            input="hello\n",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 3, done.stderr
        return done.stdout, done.stderr

    def use(self):
        """At once; what there is of the shim's environment belongs to what they see."""
        return at_once(*[lambda: self.run_there("cat; env | grep -e SL_ -e LD_; exit 3")] * 10)


class SshdInBackground(Sshd, Daemon):
    """As a service of a system without systemd: without -D."""

    said = "its parent is gone"

    def options(self):
        return ["-E", str(self.directory / "output")]


class Inetd(Daemon):
    """Accepts in the parent; its children execute the program."""

    said = "its parent is gone"

    def command(self):
        configuration = self.directory / "inetd.conf"
        service = f"127.0.0.1:{self.port} stream tcp nowait {user()}"
        configuration.write_text(f"{service} {tool('cat')} cat\n")
        return [tool("inetutils-inetd"), f"--pidfile={self.pid_file}", "-R1000", str(configuration)]

    def use(self):
        """At once: it sleeps for a second where a child's end interrupts its wait."""
        return at_once(*[lambda: exchange(self.port, b"hello\n", b"\n")] * 8)


class Xinetd(Stranger):
    """The same, and a service whose program accepts on the listener itself, some connections."""

    ACCEPTS = 5

    def __init__(self, environment):
        super().__init__(environment)
        self.waiting_port = free_port()

    def prepare(self):
        self.program = self.directory / "accepts.py"
        self.program.write_text(f"""
import signal, socket

signal.alarm(60)
listener = socket.socket(fileno=0)
for _ in range({self.ACCEPTS}):
    connection, _ = listener.accept()
    connection.sendall(connection.recv(100))
    connection.close()
""")

    def service(self, port, wait, program, arguments):
        return f"""
service at_{port}
{{
    type = UNLISTED
    socket_type = stream
    protocol = tcp
    bind = 127.0.0.1
    port = {port}
    user = {user()}
    cps = 1000 1
    wait = {wait}
    server = {program}
    server_args = {arguments}
}}
"""

    def command(self):
        configuration = self.directory / "xinetd.conf"
        configuration.write_text(
            self.service(self.waiting_port, "yes", "/usr/bin/python3", self.program)
            + self.service(self.port, "no", tool("cat"), "-")
        )
        files = ["-pidfile", str(self.directory / "pid"), "-filelog", str(self.directory / "log")]
        return [tool("xinetd"), "-dontfork", "-f", str(configuration), *files]

    def use(self):
        ports = [self.port] * 20 + [self.waiting_port] * 4 * self.ACCEPTS
        return [exchange(port, b"hello\n", b"\n") for port in ports]


@strangers(Sshd, SshdInBackground, Inetd, Xinetd)
def test_unharmed(server_class, way):
    assert_unharmed(server_class, way)
