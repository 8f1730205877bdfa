"""What is common to the tests of servers that slshim knows nothing of: they never notice it, though
every process of theirs is over a limit from the start. Same replies, same processes that accept, a
clean stop."""

import contextlib
import signal
import socket
from pathlib import Path

import psutil
import pytest

from servers import LIBRARY, Server, accepts, free_port, leavings, shim, wait_until


def exchange(port, message, until):
    """One connection: sends, and reads until a byte string or the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(message)
        reply = b""
        while until not in reply and (more := connection.recv(4096)):
            reply += more
    return reply


class Stranger(Server):
    """A server that is started by a command; its clients answer with what they saw."""

    said = "watches its workers"  # what the shim has to say; "" where it has no occasion
    trials = 0  # that SL_LEAVE may cost it

    def __init__(self, environment):
        super().__init__(environment)
        self.port = free_port()
        self.log_file = self.directory / "slshim.log"
        self.log_file.touch()
        self.log_file.chmod(0o666)
        self.environment["SL_LOG"] = str(self.log_file)

    def command(self):
        raise NotImplementedError

    def prepare(self):
        pass

    def log(self):
        return self.log_file.read_text()

    def is_listening(self):
        assert self.process.poll() in (None, 0), f"it ended, see {self.directory}/output"
        return accepts(self.port)

    def find_master(self):
        return psutil.Process(self.process.pid)

    def start(self):
        self.prepare()
        with open(self.directory / "output", "w") as output:
            self.spawn(self.command(), stdout=output, stderr=output)
        wait_until(self.is_listening, f"it listens, see {self.directory}/output")
        self.master = wait_until(self.find_master, "there is a master")
        wait_until(self.is_as_preloaded, "the master maps what was preloaded")  # it may exec first

    def is_as_preloaded(self):
        """In a container one may not look into a process of another user: there is what it said."""
        try:
            maps = Path(f"/proc/{self.master.pid}/maps").read_text()
        except PermissionError:
            return self.said
        return (str(LIBRARY) in maps) == (self.environment.get("LD_PRELOAD") == str(LIBRARY))


class Daemon(Stranger):
    """One that goes into the background and leaves a pid file."""

    @property
    def pid_file(self):
        return self.directory / "pid"

    def find_master(self):
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            return psutil.Process(int(self.pid_file.read_text()))
        return None

    def stop(self, by=signal.SIGTERM):
        """Nobody is told its status; some remove their pid file if they end in order."""
        self.process.wait(30)
        self.master.send_signal(by)
        wait_until(lambda: not self.is_running(), "it stopped")
        return self.pid_file.exists()

    def __exit__(self, *_):
        self.master = self.master or self.find_master()
        super().__exit__()


def observed(server_class, environment):
    """What its clients saw, twice; the status that it ended with; what the shim said. It may wait for
    its turn before it says anything, so those that have something to say are used until then."""
    with server_class(environment) as server:
        replies = [server.use(), server.use()]
        assert server.is_running()
        wait_until(
            lambda: not environment or server.said in server.log() or not server.use(),
            f"it says '{server.said}', see {server.log_file}",
        )
        return replies, server.stop(), server.log()


def strangers(*server_classes):
    """For a test that each of them has to pass by itself, and where SL_LEAVE names a way."""
    classes = pytest.mark.parametrize("server_class", server_classes, ids=lambda one: one.__name__)
    ways = pytest.mark.parametrize("way", [None, "_exit@idle"], ids=["by itself", "told to leave"])
    return lambda test: ways(classes(test))


def assert_unharmed(server_class, way):
    """Also where SL_LEAVE names a way: none of them has workers whose places would be filled."""
    replies, status, _ = observed(server_class, {})
    limits = shim(SL_MAX_SIZE=1, SL_MAX_CONNECTIONS=1) | ({"SL_LEAVE": way} if way else {})
    shimmed_replies, shimmed_status, log = observed(server_class, limits)
    print(log)
    assert (shimmed_replies, shimmed_status) == (replies, status)
    assert server_class.said in log
    assert len(leavings(log)) <= (server_class.trials if way else 0)
