"""krb5kdc with workers: its master ends when any of them does, and so none leaves."""

import os
import signal
import subprocess

import pytest

from servers import at_once, shim, tool, wait_until
from strangers import Stranger

CLIENT = """
[libdefaults]
    default_realm = EXAMPLE.ORG
    udp_preference_limit = 1
    dns_lookup_kdc = false
    rdns = false
[realms]
    EXAMPLE.ORG = {{
        kdc = 127.0.0.1:{port}
    }}
"""
SERVER = """
[kdcdefaults]
    kdc_listen = ""
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    EXAMPLE.ORG = {{
        database_name = {directory}/principal
        key_stash_file = {directory}/stash
    }}
[logging]
    kdc = FILE:{directory}/kdc.log
"""


class Krb5kdc(Stranger):
    workers_at_start = 4

    def prepare(self):
        files = {"KRB5_CONFIG": CLIENT, "KRB5_KDC_PROFILE": SERVER}
        for variable, text in files.items():
            path = self.directory / variable
            path.write_text(text.format(port=self.port, directory=self.directory))
            self.environment[variable] = str(path)
        self.run("kdb5_util", "create", "-s", "-P", "master")
        self.run("kadmin.local", "-q", "addprinc -pw secret me")

    def run(self, program, *arguments, **options):
        unlimited = {name: value for name, value in self.environment.items() if name != "LD_PRELOAD"}
        command = [tool(program), *arguments]
        return subprocess.run(command, env=unlimited, check=True, capture_output=True, **options)

    def command(self):
        return [tool("krb5kdc"), "-n", "-w", "4"]

    def log_in(self, times):
        """Each time by a connection of its own; a failure raises."""
        cache = self.directory / f"cache.{os.urandom(4).hex()}"
        for _ in range(times):
            self.run("kinit", "-c", str(cache), "me", input=b"secret\n")


def test_nobody_leaves():
    """All over their limit."""
    reason = "SL_LEAVE, or the profile of this server, forbids"
    with Krb5kdc(shim(SL_MAX_CONNECTIONS=1)) as server:
        wait_until(lambda: len(server.workers()) == 4, "all are there")
        workers = server.pids()
        at_once(*[lambda: server.log_in(25)] * 4)
        wait_until(lambda: server.log_in(4) or reason in server.log(), reason)
        at_once(*[lambda: server.log_in(25)] * 4)
        assert "their exit method is none (krb5kdc)" in server.log()
        assert server.leavings() == []
        assert server.pids() == workers
        assert server.stop() == 0


@pytest.mark.parametrize("limit", [{}, shim(SL_MAX_CONNECTIONS=1)], ids=["without", "with"])
def test_its_master_ends_with_any_of_them(limit):
    """Why that is so."""
    with Krb5kdc(limit) as server:
        wait_until(lambda: len(server.workers()) == 4, "all are there")
        server.workers()[0].send_signal(signal.SIGTERM)
        wait_until(lambda: not server.is_running(), "it ended")
