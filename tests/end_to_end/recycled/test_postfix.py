"""Postfix: its smtpd leaves, which its master starts by execve, and nobody else does."""

import contextlib
import json
import os
import pwd
import re
import smtplib
import subprocess
from collections import Counter

import psutil
import pytest

from known import Known, expect_alike, run_own, run_shimmed
from marks import long
from servers import BUILD, Missing, as_root, calls, leavings, shim, wait_until

MASTER = "/usr/lib/postfix/sbin/master"
QUEUES = [
    *["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop"],
    *["private", "public", "saved", "trace"],
]
OTHERS = """
rewrite    unix       - - n - - trivial-rewrite
bounce     unix       - - n - 0 bounce
defer      unix       - - n - 0 bounce
trace      unix       - - n - 0 bounce
discard    unix       - - n - - discard
proxymap   unix       - - n - - proxymap
anvil      unix       - - n - 1 anvil
cleanup    unix       n - n - 0 cleanup
qmgr       unix       n - n 300 1 qmgr
postlog    unix-dgram n - n - 1 postlogd
"""
DIRECT = "127.0.0.1:@port@ inet n - n - - smtpd"
CHROOTED = DIRECT.replace("n - n", "n - y")  # as Debian's master.cf has it
SCREENED = "127.0.0.1:@port@ inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd"


class Postfix(Known):
    """`own` is the smtpd's max_use. Its mails go nowhere."""

    title = "Postfix smtpd"
    workers_at_start = 0  # they come with the first connections

    def __init__(self, environment=None, own=None, services=DIRECT):
        if not as_root():
            raise Missing("root, whom Postfix's master has to be")
        if not os.path.exists(MASTER):
            raise Missing("Postfix is not installed")
        super().__init__(environment, own)
        self.services = services
        self.said.chmod(0o600)  # as a log of root's is
        self.spool, self.data = self.directory / "spool", self.directory / "data"

    def prepare(self):
        owner = pwd.getpwnam("postfix").pw_uid
        for directory in (self.spool, self.spool / "pid", self.data):
            directory.mkdir()
        for directory in (self.data, *(self.spool / queue for queue in QUEUES)):
            directory.mkdir(exist_ok=True)
            directory.chmod(0o700)
            os.chown(directory, owner, -1)
        ours = " ".join(name for name in self.environment if name.startswith(("SL_", "LD_")))
        imported = f"MAIL_CONFIG POSTLOG_SERVICE POSTLOG_HOSTNAME {ours}"
        (self.directory / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {self.spool}
data_directory = {self.data}
maillog_file = {self.output}
maillog_file_prefixes = {self.directory}
import_environment = {imported}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.invalid
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
postscreen_access_list = permit_mynetworks
default_transport = discard
smtpd_client_connection_count_limit = 0
max_use = 1000000
""")
        service = self.services.replace("@port@", str(self.port))
        own = f"\n  -o max_use={self.own}" if self.own else ""
        (self.directory / "master.cf").write_text(f"{service}{own}\n{OTHERS}")

    def command(self):
        return [MASTER, "-c", str(self.directory), "-s"]

    def is_answering(self):
        assert self.process.poll() is None, f"it ended:\n{self.log()}"
        return deliver(self.port, 1) == 1

    def kinds(self):
        """Its lines hold names of mails, and times."""
        lines = self.log().replace(str(self.directory), "")
        lines = re.sub(r"\b[0-9A-F]{8,}\b", "MAIL", lines)
        lines = re.sub(r"<[^>]*@", "<", lines)
        lines = re.sub(r"^\w+ +\d+ [\d:]+ \S+ |[\d.]+", "", lines, flags=re.MULTILINE)
        return Counter(lines.splitlines())

    def is_idle(self):
        """All mails that were taken have been delivered."""
        log = self.log()
        return log.count(": client=") == log.count(": removed")

    def said_by(self):
        """Who said how many lines of the library's own log."""
        return Counter(re.findall(r"^\S+ slshim: (\w+)\[", self.said.read_text(), re.MULTILINE))

    def daemons(self):
        """Those that are no smtpd; a child is named master until its execve."""
        names = {}
        for child in self.workers():
            with contextlib.suppress(psutil.Error):
                names[child.pid] = child.name()
        return {pid: name for pid, name in names.items() if name not in ("smtpd", "master")}


def deliver(port, mails):
    """How many of these went through in one session."""
    taken = 0
    with contextlib.suppress(OSError, smtplib.SMTPException):
        with smtplib.SMTP("127.0.0.1", port, "client.invalid", timeout=30) as session:
            for _ in range(mails):
                taken += session.sendmail("a@b.invalid", "c@d.invalid", "Subject: s\n\nt\n") == {}
    return taken


def sending(port, connections, mails, clients=4):
    """Mails by several clients at a time, so many in each connection."""
    return calls(lambda _: deliver(port, mails), connections, clients, mails)


def use(server, mails=1, connections=400):
    """Nobody but smtpd ends."""
    before = server.daemons()
    load = sending(server.port, connections, mails)
    wait_until(server.is_idle, "all mails are delivered")
    assert before.items() <= server.daemons().items()
    return [load]


@pytest.mark.parametrize("mails", [1, *long(3)])
@pytest.mark.parametrize(
    "services", [DIRECT, CHROOTED, SCREENED], ids=["direct", "in a chroot", "behind postscreen"]
)
def test_smtpd(services, mails):
    """Own recycling: max_use. The master says what holds, each smtpd that it leaves and no more."""
    servers = []

    def make(environment, own):
        servers.append(Postfix(environment, own, services))
        return servers[-1]

    own = run_own(make, lambda server: use(server, mails))
    shimmed = run_shimmed(make, lambda server: use(server, mails))
    expect_alike(own, shimmed, hooks=False)
    said = servers[-1].said.read_text()
    assert servers[-1].said_by() == {"master": 1, "smtpd": len(leavings(said))}
    assert {leaving.way for leaving in leavings(said)} == {"exit@accept"}


def shimmed(services=DIRECT, connections=100, **variables):
    """What the library says after some sessions, which must all have gone through."""
    with Postfix(shim(**variables), services=services) as server:
        for load in use(server, connections=connections):
            load.expect_good()
        assert re.search("warning|error|fatal|panic", server.log()) is None, server.log()
        return server.said_by(), server.said.read_text()


in_and_out = pytest.mark.parametrize("services", [DIRECT, CHROOTED], ids=["direct", "in a chroot"])


@in_and_out
def test_smtpd_by_memory(services):
    """Who needs a page more than at its start leaves, and does so between two sessions."""
    said_by, said = shimmed(services, SL_MAX_GROWTH="1K")
    assert len(leavings(said)) >= 5
    assert {tuple(leaving.limits) for leaving in leavings(said)} == {("SL_MAX_GROWTH",)}
    assert said_by == {"master": 1, "smtpd": len(leavings(said))}


@in_and_out
def test_smtpd_by_what_it_has_from_its_start(services):
    """Each is alone with its page, and says that it stays; it serves all sessions."""
    said_by, said = shimmed(services, SL_MAX_UNSHARED="1K")
    assert leavings(said) == []
    assert said.count("before it served anything") == said_by["smtpd"] >= 1


def test_smtpd_only():
    """The others, the master among them, neither do nor say anything."""
    said_by, said = shimmed(SL_ONLY="smtpd", SL_MAX_CONNECTIONS=3)
    assert len(leavings(said)) >= 15
    assert said_by == {"smtpd": len(leavings(said))}


@pytest.mark.parametrize("only", [{}, {"SL_ONLY": "smtpd"}], ids=["all", "SL_ONLY"])
def test_wrong_value(only):
    """Each smtpd says so, in case it is the only one that is asked."""
    said_by, said = shimmed(SL_MAX_CONNECTIONS="many", **only)
    assert said_by == {"smtpd": said_by["smtpd"]} | ({} if only else {"master": 1})
    assert said_by["smtpd"] >= 1
    assert said.count('SL_MAX_CONNECTIONS="many" is refused and slshim is off') == said_by.total()


def test_one_pool_to_who_looks():
    """Though each smtpd has a page of its own, which tells of it from its first session on."""
    with Postfix(shim(SL_MAX_UNSHARED="1G")) as server:
        sending(server.port, connections=40, mails=1)
        smtpds = {child.pid for child in server.workers() if child.name() == "smtpd"}
        command = [BUILD / "slshim", "status", "--json", str(server.master.pid)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        (pool,) = json.loads(done.stdout)["pools"]
        shown = {worker["pid"] for worker in pool["workers"]}
        assert len(shown) > 1 and shown <= smtpds
        assert (pool["program"], pool["listeners"]) == ("smtpd", f"127.0.0.1:{server.port}")
        assert pool["counts"]["connections"] > 0
