"""Prefork servers that people write in Python, which no profile names: with os.fork(), and with
multiprocessing, whose Lock around accept the kernel does not release."""

import pytest

from known import Known, run
from servers import ab, shim, tool

SERVER = """
import multiprocessing, os, signal, socket, sys, time

port, kind = int(sys.argv[1]), sys.argv[2]
listener = socket.create_server(("127.0.0.1", port), backlog=128)
lock = multiprocessing.Lock() if kind == "lock" else None
leaving = False

def leave(*_):
    with open(os.environ["WITNESS"], "a") as witness:
        witness.write("handler\\n")
    sys.exit(0)

def serve():
    signal.signal(signal.SIGTERM, leave)
    while True:
        if lock:
            with lock:
                connection, _ = listener.accept()
        else:
            connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n")

def stop(*_):
    os._exit(0)

def start():
    if kind == "fork":
        pid = os.fork()
        if pid == 0:
            serve()
        return pid
    worker = multiprocessing.Process(target=serve)
    worker.start()
    return worker.pid

workers = {start() for _ in range(4)}
signal.signal(signal.SIGTERM, stop)
while True:
    pid, status = os.wait()
    if status != 0:
        print("ended with status", status, flush=True)
    workers.discard(pid)
    workers.add(start())
"""


class Prefork(Known):
    kind = "fork"

    def prepare(self):
        (self.directory / "server.py").write_text(SERVER)

    def command(self):
        return [tool("python3"), "server.py", str(self.port), self.kind]


@pytest.mark.parametrize("kind", ["fork", "multiprocessing", "lock"])
@pytest.mark.parametrize("way", [None, "TERM@close"], ids=["default", "TERM"])
def test_python_prefork(kind, way):
    """By default where they are idle, or before they come to the lock; told to, by their handler."""
    environment = shim(SL_MAX_CONNECTIONS=20, SL_MAX_LEAVING=2, SL_REPLACE_TIMEOUT="2s")
    server = Prefork(environment | ({"SL_LEAVE": way} if way else {}))
    server.kind = kind
    result = run(server, lambda server: [ab(server.url(), 200)])
    expected = way or ("_exit@close" if kind == "lock" else "_exit@idle")
    assert result.recycled >= 15
    assert {leaving.way for leaving in server.leavings()} == {expected}
    assert set(result.statuses) == {"exited 0"}
    assert "ended with status" not in server.log()
    if way:
        assert result.hooks >= result.recycled
