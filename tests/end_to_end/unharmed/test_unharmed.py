"""Servers of data and pages that slshim knows nothing of never notice it."""

from servers import ab, exchange, tool
from strangers import (
    Memcached, PhpBuiltIn, Postgres, Redis, SocatFork, Stranger, assert_unharmed, strangers
)  # fmt: skip


class HaproxyMasterWorker(Stranger):
    """-W: the only worker is a forked child that accepts on an inherited listener."""

    said = "is over a limit and stays"

    def command(self):
        (self.directory / "haproxy.cfg").write_text(f"""
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 10s
frontend all
    bind 127.0.0.1:{self.port}
    http-request return status 200 content-type text/plain string ok
""")
        return [tool("haproxy"), "-W", "-f", str(self.directory / "haproxy.cfg")]

    def use(self):
        return ab(f"http://127.0.0.1:{self.port}/", 3000).expect_good().requests


class ForkingMixIn(Stranger):
    """Python's server that forks for each connection, itself in a forked child."""

    def command(self):
        script = self.directory / "server.py"
        script.write_text(f"""
import multiprocessing, signal, socketserver, sys

class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline())

class Server(socketserver.ForkingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 128

server = Server(("127.0.0.1", {self.port}), Echo)
child = multiprocessing.Process(target=server.serve_forever)
child.start()
signal.signal(signal.SIGTERM, lambda *_: (child.terminate(), child.join(), sys.exit(0)))
child.join()
""")
        return ["/usr/bin/python3", str(script)]

    def use(self):
        return [exchange(self.port, b"hello\n", b"\n") for _ in range(200)]


class PumaSingle(Stranger):
    """One process; its threads answer."""

    said = "no master forked it"

    def command(self):
        application = self.directory / "config.ru"
        application.write_text("run ->(_) { [200, { 'Content-Type' => 'text/plain' }, ['ok']] }")
        return [tool("puma"), "-b", f"tcp://127.0.0.1:{self.port}", str(application)]

    def use(self):
        return ab(f"http://127.0.0.1:{self.port}/", 1000).expect_good().requests


SERVERS = [
    *[Redis, Memcached, HaproxyMasterWorker, PhpBuiltIn, PumaSingle, SocatFork, ForkingMixIn],
    Postgres,
]


@strangers(*SERVERS)
def test_unharmed(server_class, way):
    assert_unharmed(server_class, way)
