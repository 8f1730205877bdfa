"""saslauthd: its first process accepts beside those that it forked, and a SIGCHLD would interrupt
what it reads from a client. So nobody leaves."""

import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from servers import as_root, shim, tool, wait_until
from strangers import Daemon

REQUEST = b"".join(struct.pack("!H", len(word)) + word for word in (b"nobody", b"wrong", b"imap", b""))


class Saslauthd(Daemon):
    mechanism = "shadow"
    options = ()

    def command(self):
        return [tool("saslauthd"), "-a", self.mechanism, "-m", self.directory, "-n", "5", *self.options]

    @property
    def pid_file(self):
        return self.directory / "saslauthd.pid"

    def ask(self):
        """What the server replies, whole; anything else is a lost reply."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            try:
                connection.connect(str(self.directory / "mux"))
                connection.sendall(REQUEST)
                reply = b""
                while more := connection.recv(100):
                    reply += more
            except OSError as error:
                return repr(error)
        size = struct.unpack("!H", reply[:2])[0] if len(reply) >= 2 else 0
        return reply[2:4].decode() if len(reply) == size + 2 else f"lost: {reply!r}"

    def is_listening(self):
        return self.ask() == "NO"

    def ask_often(self, times, clients):
        """All that it replied."""
        with ThreadPoolExecutor(clients) as pool:
            return set(pool.map(lambda _: self.ask(), range(times)))


class UnlockedSaslauthd(Saslauthd):
    options = ("-l",)


@pytest.mark.skipif(not as_root(), reason="its directory is root's, and so is shadow")
@pytest.mark.parametrize("server_class", [Saslauthd, UnlockedSaslauthd])
def test_no_reply_is_lost(server_class):
    """20,000 of them, by one client and by many, every process over its limit all the time."""
    reason = "its parent accepts as well, so the parent is not a master"
    with server_class(shim(SL_MAX_CONNECTIONS=1)) as server:
        wait_until(lambda: len(server.workers()) == 4, "all are there")
        children = {child.pid for child in server.workers()}
        wait_until(lambda: server.ask_often(200, 1) == {"NO"} and reason in server.log(), reason)
        assert server.ask_often(10000, 1) == {"NO"}
        assert server.ask_often(10000, 8) == {"NO"}
        assert server.leavings() == []
        assert {child.pid for child in server.workers()} == children
