"""A server whose workers are started by execve."""

from servers import Program, shim_lines, tool

# Binds, starts four workers with the listener as descriptor 3, and replaces them, "on_failure" only
# those that ended with another status than 0; "exec" becomes the only one itself.
MASTER = """
import os, signal, socket, sys

def end(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    os._exit(0)

def become_worker():
    os.execv(sys.argv[2], sys.argv[2:])

def start():
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        become_worker()

listener = socket.create_server(("127.0.0.1", 0), backlog=511)
print("port", listener.getsockname()[1], "pid", os.getpid(), flush=True)
os.dup2(os.dup(listener.detach()), 3)
if sys.argv[1] == "exec":
    become_worker()
signal.signal(signal.SIGTERM, end)
for _ in range(4):
    start()
while True:
    _, status = os.wait()
    if status:
        print("ended with status", status, file=sys.stderr, flush=True)
    if status or sys.argv[1] != "on_failure":
        start()
"""

WORKERS = {
    "python3": """
import contextlib, os, signal, socket, sys
signal.signal(signal.SIGQUIT, lambda *_: os._exit(0))
if "own_listener" in sys.argv:
    own = socket.create_server(("127.0.0.1", 0))
if "helper" in sys.argv and os.fork() == 0:
    signal.pause()
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    with contextlib.suppress(OSError):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    connection.close()
""",
    "perl": """
use IO::Socket::INET;
my $listener = IO::Socket::INET->new_from_fd(3, "r");
while (1) {
    my $connection = $listener->accept or next;
    sysread($connection, my $request, 4096);
    syswrite($connection, "HTTP/1.0 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n");
    shutdown($connection, 1);
    1 while sysread($connection, $request, 4096);
    close($connection);
}
""",
    "ruby": """
require "socket"
listener = TCPServer.for_fd(3)
loop do
  connection = listener.accept
  begin
    connection.readpartial(4096)
    connection.write("HTTP/1.0 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n")
    connection.close_write
    connection.read
  rescue SystemCallError, EOFError
  end
  connection.close
end
""",
}
NAMED = {"SL_ONLY": "worker", "SL_LEAVE": "_exit@idle"}


class Started(Program):
    """A master whose workers are started by execve."""

    def __init__(self, environment, *options, language="python3", by="master"):
        super().__init__(environment, "", workers=0 if by == "exec" else 4)
        master, worker = self.directory / "master", self.directory / "worker"
        master.write_text(MASTER)
        worker.write_text(WORKERS[language])
        interpreter = "/usr/bin/python3" if language == "python3" else tool(language)
        self.command = ["/usr/bin/python3", str(master), by, interpreter, str(worker), *options]

    def said(self):
        return shim_lines(self.log())
