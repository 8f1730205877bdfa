"""pgpool-II before a PostgreSQL: its own child_max_connections against slshim. Its master replaces
a child that ends with status 1, and no other."""

import re
import subprocess
import time

import pytest

from known import Known, expect_alike, run_own, run_shimmed
from marks import long
from servers import Load, free_port, number, tool
from strangers import Postgres

CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = @port@
socket_dir = '@directory@'
pcp_listen_addresses = '127.0.0.1'
pcp_port = @pcp_port@
pcp_socket_dir = '@directory@'
backend_hostname0 = '127.0.0.1'
backend_port0 = @backend_port@
backend_weight0 = 1
num_init_children = 8
child_max_connections = @own@
serialize_accept = @serialize@
pid_file_name = '@directory@/pgpool.pid'
logdir = '@directory@'
backend_clustering_mode = 'raw'
"""


class Pgpool(Known):
    title = "pgpool-II"
    workers_at_start = 8
    serialize = "off"
    backend = None

    def prepare(self):
        values = {
            "port": self.port,
            "pcp_port": free_port(),
            "directory": self.directory,
            "backend_port": self.backend.port,
            "own": self.own or 0,
            "serialize": self.serialize,
        }
        text = re.sub("@(\\w+)@", lambda found: str(values[found[1]]), CONFIGURATION)
        (self.directory / "pgpool.conf").write_text(text)
        (self.directory / "pcp.conf").touch()

    def command(self):
        files = [*["-f", self.directory / "pgpool.conf"], *["-F", self.directory / "pcp.conf"]]
        return [tool("pgpool"), "-n", *files]


@pytest.fixture(scope="module")
def backend():
    with Postgres({}) as server:
        server.pgbench("-i", "-q")
        yield server
        server.stop()


@pytest.fixture(scope="module", params=["off", *long("on")])
def own(request, backend):
    def make(environment, own):
        server = Pgpool(environment, own)
        server.backend, server.serialize = backend, request.param
        return server

    return make, run_own(make, one_shot)


def pgbench(server, *options, each):
    """Each transaction is a request; it gives up at the first connection that fails."""
    start = time.monotonic()
    program = f"{server.backend.programs()}/pgbench"
    command = [program, "-h", "127.0.0.1", "-p", str(server.port), "-U", "me", "-S", "-n", *options]
    done = subprocess.run([*command, "postgres"], capture_output=True, text=True, timeout=120)
    output = done.stdout + done.stderr
    good = int(number(r"actually processed: (\d+)", output))
    return Load(each, each - good, time.monotonic() - start, output)


def one_shot(server):
    """A connection for each transaction."""
    return [pgbench(server, "-C", "-c", "4", "-t", "100", each=400)]


def kept_alive(server):
    return [pgbench(server, "-c", "4", "-t", "20", each=80) for _ in range(10)]


@pytest.mark.parametrize("use", [one_shot, *long(kept_alive)])
def test_pgpool(own, use):
    make, own = own
    shimmed = run_shimmed(make, use)
    assert shimmed.statuses["exited 0"] == own.statuses["exited 0"]  # of one that only starts it
    expect_alike(own, shimmed, hooks=False)
