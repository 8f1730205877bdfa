"""SL_LISTEN: limits are about the connections of some listeners, whatever comes by others."""

import contextlib
import re
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servers import PATIENCE, Httpd, Program, ab, ab_each, free_port, shim, wait_until

# Four workers, each with all connections at once; a connection ends when its client closes it.
SERVER = """
import contextlib, os, select, signal, socket, sys

def listen(place):
    if place[0] in "/@":
        listener, address = socket.socket(socket.AF_UNIX), place.replace("@", chr(0))
    else:
        host, port = place.rsplit(":", 1)
        family = socket.AF_INET6 if host[0] == "[" else socket.AF_INET
        listener, address = socket.socket(family), (host.strip("[]"), int(port))
    listener.bind(address)
    listener.listen(511)
    listener.setblocking(False)
    return listener

def end(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    os._exit(0)

def work(listeners):
    sockets = {listener.fileno(): listener for listener in listeners}
    poll = select.poll()
    for fd in sockets:
        poll.register(fd, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            with contextlib.suppress(BlockingIOError):
                if sockets[fd] in listeners:
                    connection, _ = sockets[fd].accept()
                    sockets[connection.fileno()] = connection
                    poll.register(connection, select.POLLIN)
                elif sockets[fd].recv(4096):
                    sockets[fd].sendall(b"%d\\n" % os.getpid())
                else:
                    poll.unregister(fd)
                    sockets.pop(fd).close()

def start():
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        own = [listen(f"{place}.{os.getpid()}") for place in sys.argv[2:]]
        work(common + own)

common = [listen(place) for place in sys.argv[1].split(",")]
print("port 1 pid", os.getpid(), flush=True)
signal.signal(signal.SIGTERM, end)
for _ in range(4):
    start()
while True:
    _, status = os.wait()
    if status:
        print("ended with status", status, file=sys.stderr, flush=True)
    start()
"""


class Listening(Program):
    """`places`: of listeners that all workers have in common; `own`: of those of each."""

    def __init__(self, environment, places, own=()):
        super().__init__(environment, "", workers=4)
        (self.directory / "server").write_text(SERVER)
        script = str(self.directory / "server")
        self.command = ["/usr/bin/python3", script, ",".join(places), *own]

    def stays(self):
        return re.findall(r"is over a limit and stays .*: (.*)$", self.log(), re.MULTILINE)


def connect(place):
    if place[0] in "/@":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(place.replace("@", chr(0)))
        return connection
    host, port = place.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), timeout=30)


def ask(connection):
    """The pid of the worker that has it."""
    connection.sendall(b"who?")
    return int(connection.recv(64))


def visit(place, connections=300, clients=4):
    """As many connections, of which none may be lost."""

    def visit_once(_):
        with contextlib.closing(connect(place)) as connection:
            return ask(connection)

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(visit_once, range(connections)))
    return connections


def visit_until(place, condition, seconds=PATIENCE):
    end, connections = time.monotonic() + seconds, 0
    while not condition():
        assert time.monotonic() < end
        connections += visit(place)
    return connections


def linked(directory):
    Path(directory, "link").symlink_to(".")
    return f"{directory}/socket", f"{directory}/link/socket"


FORMS = {
    "port": lambda directory: (f"127.0.0.1:{(port := free_port())}", str(port)),
    "port, IPv6": lambda directory: (f"[::1]:{(port := free_port())}", str(port)),
    "address and port": lambda directory: (f"127.0.0.1:{free_port()}",) * 2,
    "IPv6 address and port": lambda directory: (f"[::1]:{free_port()}",) * 2,
    "IPv4 within IPv6": lambda directory: (
        f"[::ffff:127.0.0.1]:{(port := free_port())}",
        f"127.0.0.1:{port}",
    ),
    "path": lambda directory: (f"{tempfile.mkdtemp(prefix='slshim-')}/socket",) * 2,
    "path through a link": lambda directory: linked(tempfile.mkdtemp(prefix="slshim-")),
    "abstract": lambda directory: (f"@slshim.{free_port()}",) * 2,
}
NONE = "SL_LISTEN names none of the listeners that this server has now"
PACE = {"SL_MAX_CONNECTIONS": 10, "SL_MAX_LEAVING": 2, "SL_REPLACE_TIMEOUT": "1s"}


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form, tmp_path):
    """Of two listeners it names the first one: connections by the other one do not count."""
    place, written = FORMS[form](tmp_path)
    other = f"{tmp_path}/other"
    with Listening(shim(SL_LISTEN=written, **PACE), [place, other]) as server:
        visit(other, 400)
        assert server.leavings() == server.stays() == []
        connections = visit_until(place, lambda: len(server.leavings()) >= 15)
        left = server.leavings()
        assert sum(leaving.connections for leaving in left) <= connections
        assert all(leaving.connections > 10 for leaving in left)
        assert f" SL_LISTEN={written} " in server.log()
        assert "ended with status" not in server.log()
        visit(other, 10)


@pytest.mark.parametrize("written", ["1", "127.0.0.2:@", "[::1]:@", "/socket", "@slshim"])
def test_worker_that_accepts_elsewhere_is_never_looked_at(written):
    """Not even when it is over its limit from the start."""
    port = free_port()
    listen = written.replace("@", str(port)) if ":" in written else written
    with Listening(shim(SL_LISTEN=listen, SL_MAX_CONNECTIONS=1), [f"127.0.0.1:{port}"]) as server:
        visit(f"127.0.0.1:{port}")
        assert server.leavings() == server.stays() == []
        assert server.log().count("watches its workers") == server.log().count(NONE) == 1
        assert server.log().count("slshim:") == 2


def test_connection_by_another_listener_keeps_a_worker(tmp_path):
    place, other = f"127.0.0.1:{free_port()}", f"{tmp_path}/other"
    environment = shim(SL_LISTEN=place, SL_DRAIN_TIMEOUT="2s", **PACE)
    with Listening(environment, [place, other]) as server:
        held, holders = [], set()
        while len(holders) < 4:
            held.append(connect(other))
            holders.add(ask(held[-1]))
        visit_until(place, server.stays)
        visit(place)
        assert server.leavings() == []
        (reason,) = server.stays()
        assert "its connections stayed open for SL_DRAIN_TIMEOUT" in reason
        assert {ask(connection) for connection in held} == holders
        for connection in held:
            connection.close()
        visit_until(place, lambda: len(server.leavings()) >= 15)


def test_worker_with_a_listener_of_its_own_elsewhere_stays(tmp_path):
    """It would be lost with the worker; so who has not come to accept on it may go."""
    place, own = f"127.0.0.1:{free_port()}", f"{tmp_path}/own"
    with Listening(shim(SL_LISTEN=place, **PACE), [place], own=[own]) as server:
        workers = server.pids()
        for pid in workers:
            wait_until(lambda: visit(f"{own}.{pid}", 1), "it listens")
        visit_until(place, server.stays)
        visit(place)
        assert server.leavings() == []
        assert server.pids() == workers
        assert server.stays()[0].startswith("it accepts on a socket that it opened itself")


def test_httpd_with_two_listeners():
    server = Httpd(shim(SL_MAX_CONNECTIONS=20), listens=2, workers_at_start=4)
    server.environment["SL_LISTEN"] = str(server.ports[0])
    with server:
        ab(server.url(port=1), 1000).expect_good()
        assert server.leavings() == []
        end = time.monotonic() + PATIENCE
        while len(server.leavings()) < 4:  # its master replaces one a second
            for load in ab_each([server.url(port=port) for port in (0, 1)], 500, clients=4):
                load.expect_good()
            assert time.monotonic() < end
        assert {leaving.way for leaving in server.leavings()} == {"USR1@close"}
