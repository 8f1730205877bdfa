"""The log cannot hurt a server, whatever stands behind its descriptors: the whole load is served,
workers leave and are replaced all the time, the master lives and stops cleanly; and what could not
be written at once is told by the next line."""

import contextlib
import fcntl
import os
import pty
import re
import resource
import socket
import termios
import time
from pathlib import Path

import psutil
import pytest

from php_fpm import PhpFpm
from servers import (
    PATIENCE, HandWritten, Httpd, LeakyPrefork, ab, as_root, for_a_second, leavings, rounds_of, shim,
    wait_until
)  # fmt: skip

PACE = {"SL_MAX_CONNECTIONS": 20, "SL_MAX_LEAVING": 4, "SL_REPLACE_TIMEOUT": "3s"}
LOST = r"\((\d+) lines? before this one w(?:as|ere) lost\)"


class Surrounded(HandWritten):
    """With a standard error of one's own choice, and something done before it is executed."""

    def __init__(self, standard_error=None, before=None, lock="none", oddity="none", **variables):
        super().__init__(shim(**PACE | variables), lock=lock, oddity=oddity)
        self.standard_error, self.before = standard_error, before

    def spawn(self, command, **arguments):
        if self.standard_error is not None:
            arguments["stderr"] = self.standard_error
        super().spawn(command, preexec_fn=self.before, **arguments)


def pids(server):
    """Of its workers; what it has for its logs goes by another name."""
    name = server.master.name()

    def is_worker(child):
        with contextlib.suppress(psutil.NoSuchProcess):
            return child.name() == name
        return False

    return {child.pid for child in server.workers() if is_worker(child)}


def expect_recycling(server, load=for_a_second):
    """Under load, until none of the workers is there any more that were at first."""
    before = pids(server)
    assert before
    for _ in range(20):
        done = load(server)
        done.expect_good()
        if not before & pids(server):
            assert server.is_running()
            return before
    raise AssertionError(f"not all of {before} left: there are {pids(server)}")


def expect_stop(server):
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 10


def expect_unhurt(server):
    with server:
        expect_recycling(server)
        expect_stop(server)


def expect_told(gone, *logs):
    """Each of them has said that it leaves, at the next fork of the master at the latest."""

    def untold():
        return gone - {leaving.pid for log in logs for leaving in leavings(log.read_text())}

    wait_until(lambda: not untold(), f"all of {gone} have said that they leave, see {logs[0]}")


def lost(text):
    return [int(count) for count in re.findall(LOST, text)]


def read_now(fd):
    """What is in a pipe or the like."""
    os.set_blocking(fd, False)
    text = b""
    with contextlib.suppress(BlockingIOError):
        while more := os.read(fd, 1 << 16):
            text += more
    return text.decode()


def read_until_lost_is_told(server, fd):
    """By the line after those that were lost, of which there were more than none. The next worker
    that leaves writes it, which may have to wait for its turn."""
    text, end = "", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        text += read_now(fd)
        if lost(text):
            assert lost(text)[0] > 0
            assert re.search(rf"^\S+Z slshim: hand_written\[\d+\] .* {LOST}$", text, re.MULTILINE)
            return
        ab(server.url(), 200).expect_good()
    raise AssertionError(f"nothing was lost in {text}")


# ------------------------------------------------------------------------ SL_LOG


def test_fifo_without_a_reader(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Surrounded(SL_LOG=fifo) as server:
        expect_recycling(server)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        try:
            read_until_lost_is_told(server, reader)
        finally:
            os.close(reader)
        expect_recycling(server)
        expect_stop(server)


def test_file_that_becomes_a_fifo(tmp_path):
    log = tmp_path / "log"
    with Surrounded(SL_LOG=log) as server:
        expect_recycling(server)
        assert leavings(log.read_text())
        log.unlink()
        os.mkfifo(log)
        expect_recycling(server)
        expect_stop(server)


def test_fifo_that_nobody_empties(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with Surrounded(SL_LOG=fifo) as server:
            expect_recycling(server)
            expect_recycling(server)
            read_until_lost_is_told(server, reader)
            expect_stop(server)
    finally:
        os.close(reader)


def test_full_disk():
    expect_unhurt(Surrounded(SL_LOG="/dev/full"))


def test_limit_of_file_size(tmp_path):
    nothing = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # noqa: E731
    log = tmp_path / "log"
    expect_unhurt(Surrounded(before=nothing, SL_LOG=log))
    assert log.read_text() == ""


@pytest.mark.skipif(not as_root() or os.path.exists("/dev/log"), reason="/dev/log is not ours")
@pytest.mark.parametrize("kind", [None, socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_syslog_that_is_missing_or_stuck(kind):
    with contextlib.ExitStack() as stack:
        if kind is not None:
            syslog = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
            syslog.bind("/dev/log")
            stack.callback(os.unlink, "/dev/log")
            if kind == socket.SOCK_STREAM:
                syslog.listen(0)
        with Surrounded(SL_LOG="syslog") as server:
            expect_recycling(server)
            expect_recycling(server)
            if kind == socket.SOCK_DGRAM:
                read_until_lost_is_told_to_syslog(server, syslog)
            expect_stop(server)


def read_until_lost_is_told_to_syslog(server, syslog):
    syslog.setblocking(False)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            while line := syslog.recv(4096).decode():
                assert line.startswith("<29>slshim: hand_written[") and "\n" not in line
                if lost(line):
                    return
        ab(server.url(), 200).expect_good()
    raise AssertionError("nothing was lost")


# ---------------------------------------------------------------- standard error


@contextlib.contextmanager
def pipe():
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", 0) as reader, os.fdopen(writer, "wb", 0) as writer:
        yield reader, writer


def fill(writer):
    os.set_blocking(writer.fileno(), False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer.fileno(), b"x" * 4096)
    os.set_blocking(writer.fileno(), True)


def test_full_pipe_whose_reader_sleeps():
    with pipe() as (reader, writer):
        fill(writer)
        with Surrounded(standard_error=writer) as server:
            expect_recycling(server)
            assert os.get_blocking(writer.fileno())  # the flags are those of all who have it
            assert set(read_now(reader.fileno())) == {"x"}
            read_until_lost_is_told(server, reader.fileno())
            expect_stop(server)


def test_pipe_whose_reader_has_gone():
    with pipe() as (reader, writer):
        with Surrounded(standard_error=writer) as server:
            expect_recycling(server)
            assert leavings(read_now(reader.fileno()))
            reader.close()
            expect_recycling(server)
            expect_stop(server)


def test_pipe_without_a_reader_from_the_start():
    with pipe() as (reader, writer):
        reader.close()
        expect_unhurt(Surrounded(standard_error=writer))


def test_pipe_ends_with_the_server():
    """Nobody holds it open: a shell's $(...) would wait for that one."""
    with pipe() as (reader, writer):
        with Surrounded(standard_error=writer) as server:
            writer.close()
            expect_recycling(server)
            expect_stop(server)
        assert leavings(reader.read().decode())


def is_in_background(pid):
    """Of its terminal, for which field 8 tells the process group in the foreground."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    group, foreground = int(fields[2]), int(fields[5])
    return foreground > 0 and group != foreground


@pytest.mark.parametrize("stops", [False, True], ids=["", "tostop"])
def test_job_in_the_background_of_a_terminal(stops):
    master, terminal = pty.openpty()
    settings = termios.tcgetattr(terminal)
    settings[3] |= termios.TOSTOP if stops else 0
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
    own_terminal = lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)  # noqa: E731
    server = Surrounded(standard_error=terminal, before=own_terminal)
    server.command = ["sh", "-c", 'set -m; "$@" & wait $!', "sh", *server.command]
    try:
        with server:
            assert is_in_background(server.master.pid)
            expect_recycling(server)
            assert server.master.status() != psutil.STATUS_STOPPED
            assert leavings(read_now(master))
            for _ in range(3):  # until it is full, and nobody reads
                expect_recycling(server)
            expect_stop(server)
    finally:
        os.close(master)
        os.close(terminal)


@pytest.mark.parametrize("lock", ["pipe", "socketpair"])
def test_token_of_its_own_on_number_2(lock):
    with Surrounded(lock=lock, oddity="closed") as server:
        assert os.readlink(f"/proc/{server.master.pid}/fd/2").startswith(("pipe:", "socket:"))
        expect_recycling(server)
        expect_recycling(server)
        assert not (server.directory / "foreign").exists()
        expect_stop(server)


def test_file_of_its_own_on_number_2():
    with Surrounded(lock="flock", oddity="closed_error") as server:
        expect_recycling(server)
        lock = server.directory / "lock"
        assert os.readlink(f"/proc/{server.workers()[0].pid}/fd/2") == str(lock)
        assert lock.read_text() == ""
        expect_stop(server)


# ------------------------------------------------------------ servers' own error logs


def httpd(config="", **variables):
    environment = shim(**PACE | variables)
    return Httpd(environment, config=config, workers_at_start=8)


def test_error_log_of_httpd_is_standard_error():
    with httpd('ErrorLog "@directory@/other.log"') as server:
        expect_recycling(server)
        other = (server.directory / "other.log").read_text()
        assert other.count("watches its workers") == 1
        assert leavings(other)
        assert server.leavings() == []
        expect_stop(server)


def test_piped_error_log_of_httpd_is_its_own(tmp_path):
    """A path is the way to a log of ours there."""
    config = 'ErrorLog "|/usr/bin/tee -a @directory@/piped.log"'
    with httpd(config) as server:
        expect_recycling(server)
        expect_stop(server)
        assert "resuming normal operations" in (server.directory / "piped.log").read_text()
        assert "slshim: " not in (server.directory / "piped.log").read_text()
    with httpd(config, SL_LOG=tmp_path / "log") as server:
        expect_recycling(server)
        assert leavings((tmp_path / "log").read_text())
        expect_stop(server)


@pytest.mark.parametrize("catches", ["no", "yes"])
def test_lines_of_php_fpm_come_by_its_master(catches):
    """Its workers have /dev/null there, or a pipe of their master's."""

    class Fpm(PhpFpm):
        def _pool(self, name):
            return super()._pool(name) + f"catch_workers_output = {catches}\n"

    server = Fpm(shim(**PACE))
    del server.environment["SL_LOG"]
    with server:
        gone = expect_recycling(server, rounds_of(400))
        expect_told(gone, server.output)
        log = server.log()
        assert log.count("watches its workers") == 1
        assert all(line.startswith("20") for line in log.splitlines() if " slshim: " in line)
        server.stop()


# ---------------------------------------------------------------------- rotation


def rotate(log, creates):
    """As logrotate does."""
    rotated = log.with_name("log.1")
    log.rename(rotated)
    if creates:
        log.touch(mode=0o600)
    return rotated, rotated.read_text()


@pytest.mark.parametrize("creates", [True, False], ids=["create", "nocreate"])
def test_rotated_log_of_root_is_left_behind(tmp_path, creates):
    """By workers of another user, in a directory that they may not look into."""
    if not as_root():
        pytest.skip("takes root")
    directory = tmp_path / "private"
    directory.mkdir(mode=0o700)
    log = directory / "log"
    with httpd(SL_LOG=log) as server:
        gone = expect_recycling(server)
        wait_until(
            lambda: {worker.username() for worker in server.workers()} == {"www-data"},
            "the newest worker has left root, too",
        )
        log.chmod(0o600)
        expect_told(gone, log)
        rotated, before = rotate(log, creates)
        gone = expect_recycling(server)
        gone |= expect_recycling(server)
        expect_told(gone, log, rotated)
        assert len(leavings(log.read_text())) >= 8
        assert rotated.read_text() == before
        assert "lost)" not in log.read_text()
        expect_stop(server)


def test_rotated_log_is_left_behind_by_who_may_open_it(tmp_path):
    log = tmp_path / "log"
    environment = shim(**PACE, SL_LOG=log, SL_LEAVE="QUIT@close")
    with LeakyPrefork(environment, preloaded_mb=4) as server:
        expect_recycling(server)
        rotated, before = rotate(log, creates=False)
        expect_recycling(server)
        assert rotated.read_text() == before
        assert leavings(log.read_text())
        expect_stop(server)
