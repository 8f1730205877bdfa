"""A server whose processes nobody would replace says so, once; and who is no such server says nothing
of the kind: who accepts a few connections, forks for each of them, or accepts beside its workers."""

import pytest

from nginx import configuration
from servers import HandWritten, ab, exchange, load_until, shim, tool, wait_until
from strangers import Redis, Stranger

NO_MASTER = "is not watched: it accepts connections itself and no master forked it"


class NginxSingle(Stranger):
    def command(self):
        http = f"server {{ listen 127.0.0.1:{self.port}; location / {{ return 200 ok; }} }}"
        file = self.directory / "nginx.conf"
        file.write_text(configuration(self, http, "master_process off;"))
        return [tool("nginx"), "-c", str(file)]

    def use(self):
        ab(f"http://127.0.0.1:{self.port}/", 500).expect_good()


class UwsgiSingle(Stranger):
    def command(self):
        (self.directory / "wsgi.py").write_text(
            "def application(environ, start_response):\n"
            "    start_response('200 OK', [('Content-Length', '2')])\n"
            "    return [b'ok']\n"
        )
        where = ["--http-socket", f"127.0.0.1:{self.port}", "--wsgi-file", "wsgi.py"]
        return [tool("uwsgi_python3"), "--plugin", "python3", "--die-on-term", *where]

    def use(self):
        ab(f"http://127.0.0.1:{self.port}/", 500).expect_good()


class Echoing(Stranger):
    """A server of a few lines; it answers each connection with a line of its own."""

    each = ""

    def command(self):
        script = f"""
import os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", {self.port}), backlog=511)
while True:
    connection, _ = listener.accept()
    with connection:
        {self.each}
"""
        return ["/usr/bin/python3", "-c", script]

    def use(self, times=300):
        for _ in range(times):
            assert exchange(self.port, b"", b"\n") == b"ok\n"


class Single(Echoing):
    each = "connection.sendall(b'ok\\n')"


class ForkingForEach(Echoing):
    each = "os.fork() or (connection.sendall(b'ok\\n'), os._exit(0))"


@pytest.mark.parametrize(
    "server_class", [NginxSingle, UwsgiSingle, Redis, Single], ids=lambda one: one.__name__
)
def test_server_without_a_master_says_so(server_class):
    """Also where it is not over a limit."""
    with server_class(shim(SL_MAX_RSS="1T", SL_MAX_SIEZ=1)) as server:
        server.use()
        wait_until(lambda: NO_MASTER in server.log(), f"it says so, see {server.log_file}")
        server.use()
        assert server.is_running()
        assert server.log().count("is not watched") == 1
        assert server.log().count("SL_MAX_SIEZ is ignored") == 1


def test_few_connections_make_no_server():
    """Those of a control socket."""
    with Single(shim(SL_MAX_SIZE=1, SL_MAX_CONNECTIONS=1)) as server:
        server.use(times=50)
        assert server.log() == ""


def test_who_forks_for_each_connection_is_no_such_server():
    with ForkingForEach(shim(SL_MAX_SIZE=1, SL_MAX_CONNECTIONS=1)) as server:
        server.use()
        assert "watches its workers" in server.log()
        assert NO_MASTER not in server.log()


@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
def test_master_that_accepts_beside_its_workers_is_no_such_server(wait):
    """They say why they stay."""
    with HandWritten(shim(SL_MAX_CONNECTIONS=1), wait, oddity="accepting") as server:
        load_until(server, lambda: "its parent accepts as well" in server.log())
        load_until(server, lambda: True)
        assert NO_MASTER not in server.log()


def test_server_without_a_limit_says_nothing():
    with Single(shim()) as server:
        server.use()
        assert server.log() == ""
