"""Hand-written prefork servers are recycled without a word from anybody, or left alone and told
why: however they wait, lock, serve and close."""

import os
import re
import subprocess

import pytest

from marks import long, long_but
from servers import (
    HandWritten, as_root, get, load_until, load_until_left, rounds_of, shim, tool, wrk
)  # fmt: skip
from unnamed import PACE, expect_recycled

IDLE, CLOSE = "_exit@idle", "_exit@close"
WAITS = [
    "accept", "poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "exclusive",
]  # fmt: skip
EACH_KIND = ["accept", "poll", "select", "epoll_wait"]
SERVICES = [
    "close", "fclose", "dup2", "close_range", "standard_input", "late_log", "fork_cgi", "vfork_cgi",
    "passed",
    # A worker is idle for moments only, and for fewer of them if other tests compute.
    pytest.param("threads", marks=pytest.mark.alone),
]  # fmt: skip
# Those that the kernel releases when their holder ends, and those that it does not.
RELEASED_LOCKS = ["flock", "fcntl", "sysv_undo"]
LASTING_LOCKS = {
    "sysv": "a SysV semaphore without SEM_UNDO",
    "semaphore": "a semaphore that processes share",
    "named_semaphore": "a semaphore that processes share",
    "mutex": "a mutex that processes share",
    "pipe": "both ends of a pipe",
    "socketpair": "both ends of a socketpair",
    "eventfd": "an eventfd",
}

# At every 21st connection of a worker, and at every one.
LIMITS = {"now and then": {"SL_MAX_CONNECTIONS": 20}, "always": {"SL_MAX_CONNECTIONS": 1}}
at_both_paces = pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)


def recycled(wait="accept", service="close", lock="none", oddity="none", way=IDLE, **variables):
    """What left, and the server, with what it logged."""
    server = HandWritten(shim(**PACE | variables), wait, service, lock, oddity)
    return expect_recycled(server, way), server


@at_both_paces
@pytest.mark.parametrize("wait", WAITS)
def test_leaves_when_idle(wait, limit):
    recycled(wait, **limit)


@at_both_paces
@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
@pytest.mark.parametrize("service", SERVICES[1:])
def test_leaves_however_it_serves(wait, service, limit):
    left, server = recycled(wait, service, **limit)
    if service == "late_log":
        for leaving in left:
            logged = (server.directory / f"served.{leaving.pid}").read_text()
            assert logged == leaving.connections * "one\n"


@at_both_paces
@pytest.mark.parametrize("wait", ["accept", "epoll_wait", *long("exclusive")])
@pytest.mark.parametrize("lock", RELEASED_LOCKS)
def test_leaves_with_a_lock_that_the_kernel_releases(wait, lock, limit):
    recycled(wait, lock=lock, **limit)


@at_both_paces
@pytest.mark.parametrize("wait", ["accept", "epoll_wait", *long("exclusive")])
@pytest.mark.parametrize("lock", LASTING_LOCKS)
def test_leaves_before_it_takes_a_lock_that_would_last(wait, lock, limit):
    _, server = recycled(wait, lock=lock, way=CLOSE, **limit)
    assert server.log().count("leaves right after a close, not when it is idle") == 1
    assert LASTING_LOCKS[lock] in server.log()


@pytest.mark.parametrize("wait", long_but(EACH_KIND, WAITS))
def test_leaves_beside_a_thread_that_waits_for_timers(wait):
    """As Ruby's workers have from 3.3 on: it waits for a set of epoll that has no listener."""
    recycled(wait, oddity="timer_thread", **LIMITS["always"])


needs_root = pytest.mark.skipif(not as_root(), reason="chroot takes root")


@needs_root
@at_both_paces
@pytest.mark.parametrize("wait", long_but(EACH_KIND, WAITS))
def test_leaves_in_a_chroot(wait, limit):
    """Where there is no /proc: as idle as elsewhere, by what was looked up beforehand."""
    recycled(wait, oddity="chroot", **limit)


@needs_root
def test_is_measured_in_a_chroot():
    left, _ = recycled(oddity="chroot", SL_MAX_GROWTH="1K")
    assert {tuple(leaving.limits) for leaving in left} == {("SL_MAX_GROWTH",)}
    for quantity in ("size", "resident", "unshared", "descriptors"):
        assert all(quantity in leaving.text for leaving in left)


@needs_root
def test_is_confined_and_cannot_be_measured():
    """It says so once; where nothing tells of its threads either, it has to be told how to leave."""
    reason = "can no longer read its figures in /proc"
    _, server = recycled(
        oddity="chroot_tidy", SL_MAX_CONNECTIONS=20, SL_MAX_UNSHARED="1G", SL_LEAVE=IDLE
    )
    assert server.log().count(reason) == 1


@needs_root
@pytest.mark.parametrize("oddity", ["chroot_tidy", "chroot_threads"])
def test_stays_in_a_chroot_for_its_threads(oddity):
    left_alone("or cannot be inspected", "accept", "close", "none", oddity, **LIMITS["always"])


def test_many_pipes_are_told_from_a_lock():
    """The reason that is given is the true one, and where there is none, workers leave when idle."""
    recycled(lock="many_pipes", **LIMITS["always"])
    _, server = recycled(lock="eventfd_among_pipes", way=CLOSE, **LIMITS["always"])
    assert LASTING_LOCKS["eventfd"] in server.log()


@pytest.mark.parametrize("wait", ["exclusive", "epoll_wait", "poll"])
def test_newcomer_need_not_be_given_a_connection(wait):
    """A single client, whom the same worker serves as long as it is there, where the kernel wakes the
    first who waits: whoever replaces it may wait for long, and is no less there."""
    with HandWritten(shim(SL_MAX_CONNECTIONS=20), wait) as server:
        # One at a time; each would be missed for 10 s before the next one may go.
        load_until_left(server, 30, rounds_of(200, clients=1))


@pytest.mark.parametrize("wait", long_but(EACH_KIND, WAITS))
def test_is_sent_a_signal_when_idle(wait):
    """The handler runs before the wait, which must not go on as if nothing had happened."""
    recycled(wait, way="QUIT@idle", SL_LEAVE="QUIT@idle", **LIMITS["now and then"])


def test_fclose_is_a_close():
    recycled(service="fclose", way=CLOSE, SL_LEAVE=CLOSE, **LIMITS["now and then"])


# ------------------------------------------------------------------- left alone


def left_alone(reason, *parts, most=0, **variables):
    """Runs one under load, of which no worker leaves, or but `most`, until it is said why."""
    environment = shim(**{"SL_REPLACE_TIMEOUT": "1s", "SL_MAX_LEAVING": 4} | variables)
    with HandWritten(environment, *parts) as server:
        before = server.pids()
        connections = load_until(server, lambda: reason in server.log())
        connections += load_until(server, lambda: True)
        left = server.leavings()
        print(f"{connections} connections, 0 failed, {len(left)} leavings: {reason}")
        assert len(left) == most
        assert server.pids() >= before - {leaving.pid for leaving in left}
        assert server.log().count(reason) == 1
        assert get(server.url()) == "ok\n"
        assert server.stop() == 0


def test_has_no_pipe_of_death():
    left_alone("not have exactly one pipe that may be", SL_LEAVE="pod@accept", SL_MAX_CONNECTIONS=1)


@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
@pytest.mark.parametrize(
    ("reason", "service", "lock", "oddity"),
    [
        ("for as long as it has a child process; an SL_LEAVE", "close", "none", "helper"),
        ("several of its threads accept", "close", "none", "thread_pool"),
        ("it is alone in its pool", "close", "none", "lone"),
        ("its parent accepts as well", "close", "none", "accepting"),
        ("it accepts on a socket that it opened itself", "close", "none", "own_listener"),
        ("its closes or waits are not seen", "dup2", "pipe", "none"),
        ("its closes or waits are not seen", "close_range", "mutex", "none"),
    ],
)
def test_stays_and_says_why(wait, reason, service, lock, oddity):
    left_alone(reason, wait, service, lock, oddity, **LIMITS["always"])


@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
@pytest.mark.parametrize(
    ("oddity", "reason"),
    [
        ("clone", "made by clone() or the like"),
        ("chroot_filter", "neither /proc nor pidfd_open() shows it whether its siblings live"),
    ],
)
def test_is_not_watched_and_says_why(wait, oddity, reason):
    """Who is made by no fork, and who cannot tell whether others live."""
    if oddity == "chroot_filter" and not as_root():
        pytest.skip("chroot takes root")
    with HandWritten(shim(SL_MAX_CONNECTIONS=1), wait, oddity=oddity) as server:
        load_until(server, lambda: reason in server.log())
        load_until(server, lambda: True)
        assert server.leavings() == []
        assert server.log().count("is not watched: ") == 1
        assert server.log().count(reason) == 1
        assert get(server.url()) == "ok\n"
        assert server.stop() == 0


@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
def test_master_that_never_replaces_loses_one(wait):
    """A trial, and no other; the rest goes on serving."""
    reason = "no new worker came to accept"
    left_alone(reason, wait, "close", "none", "never_replaces", most=1, **LIMITS["always"])


@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
def test_worker_that_ignores_its_signal_is_left_alone(wait):
    reason = "it did not leave within SL_REPLACE_TIMEOUT"
    parts = [wait, "close", "none", "deaf"]
    left_alone(reason, *parts, most=1, SL_LEAVE="QUIT@idle", **LIMITS["now and then"])


@pytest.mark.parametrize(("way", "status"), [("exit@idle", 0), ("exit:7@idle", 7)])
def test_stuck_exit_ends_after_two_seconds(way, status):
    """A handler that never returns costs the pool a worker for that long, and no connection."""
    environment = shim(SL_MAX_CONNECTIONS=20, SL_LEAVE=way, SL_MAX_LEAVING=1)
    with HandWritten(environment, oddity="stuck") as server:
        wrk(server.url(), seconds=9, keep_alive=False).expect_good()
        left = server.leavings()
        assert 3 <= len(left) <= 5  # at 0, 2, 4, 6 and 8 s
        ended = re.findall(r"ended with status (\d+)", server.log())
        assert {int(one) >> 8 for one in ended} == ({status} if status else set())


# ---------------------------------------------------------------------- sockets


def curl(*options, within=()):
    """Requests by curl; how many there were, and how many of them failed."""
    command = [*within, tool("curl"), "-s", "-o", "/dev/null", "-w", "%{http_code} %{exitcode}\n"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120)
    replies = done.stdout.splitlines()
    return len(replies), sum(reply != "200 0" for reply in replies)


@at_both_paces
def test_handler_that_unlinks_the_socket_does_not_run(tmp_path, limit):
    path = str(tmp_path / "socket")
    with HandWritten(shim(**PACE | limit), oddity="unlink", path=path) as server:
        requests = ["--unix-socket", path, "-Z", "--parallel-max", "8", "http://localhost/[1-2000]"]
        assert curl(*requests) == (2000, 0)
        assert len(server.leavings()) >= 15
        assert os.path.exists(path)
        assert curl(*requests[:2], "http://localhost/") == (1, 0)
        assert server.stop() == 0


MIGRATING = "ip link set lo up && echo {} >/proc/sys/net/ipv4/tcp_migrate_req && exec "


class InNetwork(HandWritten):
    """In a network of its own, in which tcp_migrate_req is set."""

    def __init__(self, environment, migrate):
        super().__init__(environment, oddity="own_listener")
        script = MIGRATING.format(migrate) + " ".join(self.command)
        self.command = [tool("unshare"), "--net", "/bin/sh", "-c", script]

    def load(self, requests, rate):
        network = [tool("nsenter"), "--net", "--target", str(self.master.pid)]
        return curl("--rate", f"{rate}/s", f"{self.url()}?[1-{requests}]", within=network)


@pytest.mark.skipif(not as_root(), reason="a network of one's own takes root")
@pytest.mark.parametrize(("migrate", "way"), [(0, IDLE), (1, None), (1, IDLE)])
def test_listeners_of_its_own(migrate, way):
    """Workers stay; but for who asks where the kernel hands waiting connections over."""
    environment = shim(SL_MAX_CONNECTIONS=10, SL_MAX_LEAVING=1, SL_REPLACE_TIMEOUT="3s")
    with InNetwork(environment | ({"SL_LEAVE": way} if way else {}), migrate) as server:
        assert server.load(600, rate=200) == (600, 0)
        left = server.leavings()
        if migrate and way:
            assert len(left) >= 15
            assert "stays" not in server.log()
        else:
            assert left == []
            assert server.log().count("it accepts on a socket that it opened itself") == 1
        assert server.load(1, rate=200) == (1, 0)
        assert re.search("ended with status", server.log()) is None
