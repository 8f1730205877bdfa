"""Dovecot: its logins, which its master starts by execve, are left alone; told to, they leave."""

import contextlib
import imaplib
import re
import shutil
import subprocess
from collections import Counter

import pytest

from known import EVERY, Known, expect_alike, run, run_own
from servers import Missing, as_root, calls, leavings, shim, shim_lines, tool


class Dovecot(Known):
    """`own` is the service_count of its imap-login, which serves several connections at a time."""

    title = "Dovecot"
    workers_at_start = 0

    def __init__(self, environment=None, own=None, chroot="login"):
        if not as_root():
            raise Missing("root, whom Dovecot's master has to be")
        super().__init__(environment, own)
        self.chroot = chroot

    def prepare(self):
        (self.directory / "users").write_text("me:{PLAIN}secret\n")
        mails = self.directory / "mail"
        mails.mkdir()
        shutil.chown(mails, "mail", "mail")
        (self.directory / "dovecot.conf").write_text(f"""{self._dialect()}
base_dir = {self.directory}/run
state_dir = {self.directory}/run
log_path = {self.output}
protocols = imap
listen = 127.0.0.1
ssl = no
default_process_limit = 20
first_valid_uid = 0
service imap-login {{
  chroot = {self.chroot}
  process_min_avail = 2
  client_limit = 20
  inet_listener imap {{
    port = {self.port}
  }}
}}
service imap {{
  process_limit = 20
}}
""")

    def _dialect(self):
        """What 2.4 calls by other names; the first setting has to be the version."""
        version = subprocess.check_output([tool("dovecot"), "--version"], text=True)
        ours = [name for name in self.environment if name.startswith(("SL_", "LD_"))]
        if tuple(map(int, version.split(".")[:2])) < (2, 4):
            return f"""
import_environment = {" ".join(ours)}
disable_plaintext_auth = no
mail_location = maildir:{self.directory}/mail
passdb {{
  driver = passwd-file
  args = {self.directory}/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={self.directory}/mail
}}
service imap-login {{
  service_count = {self.own or 0}
}}
service imap {{
  service_count = 0
}}
"""
        imported = "\n".join(f"  {name} = %{{env:{name}}}" for name in ours)
        return f"""dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
import_environment {{
{imported}
}}
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {self.directory}/mail
passdb passwd-file {{
  passwd_file_path = {self.directory}/users
}}
userdb static {{
  fields {{
    uid = mail
    gid = mail
    home = {self.directory}/mail
  }}
}}
service imap-login {{
  restart_request_count = {self.own or "unlimited"}
}}
service imap {{
  restart_request_count = unlimited
}}
"""

    def command(self):
        return [tool("dovecot"), "-F", "-c", str(self.directory / "dovecot.conf")]

    def is_answering(self):
        assert self.process.poll() is None, f"it ended:\n{self.log()}"
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            visit(self.port)
            return True
        return False

    def kinds(self):
        """Its lines hold names of sessions and, where there was time to wait, for how long."""
        varying = r"<[^>]*>|^\w+ +\d+ [\d:]+ |waited|[\d.]+"
        return Counter(re.sub(varying, "", self.log(), flags=re.MULTILINE).splitlines())


def visit(port):
    """Goes before it has logged in."""
    with imaplib.IMAP4("127.0.0.1", port, timeout=30) as session:
        session.noop()


def read_mail(port):
    """Logs in, and so is handed over to another process."""
    with imaplib.IMAP4("127.0.0.1", port, timeout=30) as session:
        session.login("me", "secret")
        assert session.select("INBOX")[0] == "OK"
        session.noop()


def use(server, session, connections=400, clients=4):
    def is_good(_):
        with contextlib.suppress(OSError, AssertionError, imaplib.IMAP4.error):
            session(server.port)
            return True
        return False

    return [calls(is_good, connections, clients)]


at_both_sessions = pytest.mark.parametrize("session", [visit, read_mail])


@at_both_sessions
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "dovecot: watches its workers: .*exit method is none \\(Dovecot\\)"),
        ({"SL_LEAVE": "INT@close"}, "dovecot: watches its workers: "),
        ({"SL_ONLY": "imap-login"}, None),
    ],
    ids=["by itself", "SL_LEAVE", "SL_ONLY"],
)
def test_login_stays(session, variables, said):
    """Over its limit from the start."""
    with Dovecot(shim(SL_MAX_CONNECTIONS=1, **variables)) as server:
        (load,) = use(server, session, connections=100)
        load.expect_good()
        assert server.statuses() == []
        assert re.search("Warning|Error|Fatal|Panic", server.log()) is None, server.log()
        lines = shim_lines(server.said.read_text())
        lines = [re.sub(r"\[\d+\]:?( slshim \S+)?", ":", line) for line in lines]
        assert [line for line in set(lines) if not re.match(said or "nothing", line)] == []
        assert bool(lines) == bool(said)


@at_both_sessions
@pytest.mark.parametrize("chroot", ["", "login"], ids=["no chroot", "chroot"])
def test_login_leaves_where_it_is_told_to(session, chroot):
    """Own recycling: service_count. By SIGINT, of which it says nothing."""

    def make(environment, own):
        return Dovecot(environment, own, chroot)

    variables = {"SL_ONLY": "imap-login", "SL_LEAVE": "INT@close"}
    server = make(shim(SL_MAX_CONNECTIONS=EVERY, **variables), None)

    own = run_own(make, lambda server: use(server, session))
    shimmed = run(server, lambda server: use(server, session))
    expect_alike(own, shimmed, hooks=False, slack=3)  # it may be over its limit before it is idle
    said = server.said.read_text()  # to ask whether it still answers may have made one more leave
    assert said.count("\n") == len(leavings(said))
