"""Workers in surroundings that nobody prepared for them: with few descriptors, on a small stack,
cancelled, interrupted by handlers that do not return, with their files closed under them. They serve
as they do without the library, and are recycled as any others."""

import re
import subprocess
from collections import Counter

import pytest

from servers import HandWritten, Httpd, Missing, ab, load_until, load_until_left, shim, tool
from unnamed import PACE, expect_recycled


class Limited(HandWritten):
    """Of which no process may have more descriptors than that."""

    def __init__(self, descriptors, environment, *parts):
        super().__init__(environment, *parts)
        limit = f'ulimit -n {descriptors} && exec "$0" "$@"'
        self.command = ["sh", "-c", limit, *self.command]


@pytest.mark.parametrize("wait", ["accept", "poll"])
@pytest.mark.parametrize("descriptors", [5, 6, 20, 64, 100])
def test_few_descriptors(wait, descriptors):
    """The smallest number is as many as the server itself needs: three, its listener, a connection.
    Memory is measured, which takes files."""
    variables = {"SL_MAX_CONNECTIONS": 20, "SL_MAX_UNSHARED": "1G", "SL_MAX_SWAP": "1G", "SL_MAX_FDS": 100}
    expect_recycled(Limited(descriptors, shim(**PACE | variables), wait), "_exit@idle")


def test_descriptors_that_are_taken_by_others():
    """The worker closes all that it does not know, and puts files of its own there: nothing is ever
    written to them. Its memory is measured all the same."""
    environment = shim(SL_MAX_UNSHARED="1G", SL_MAX_CONNECTIONS=20, SL_MAX_SWAP="1G", **PACE)
    left = expect_recycled(HandWritten(environment, "accept", "takes_numbers"), "_exit@idle")
    assert all("unshared unknown" not in leaving.text for leaving in left)


@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
def test_thread_is_cancelled_when_it_accepts(wait):
    """Its first accept, in which it is measured; another thread accepts from then on."""
    if wait == "accept":
        environment = shim(SL_MIN_SHARED="1K", SL_MAX_CONNECTIONS=20, SL_LEAVE="QUIT@accept", **PACE)
    else:
        environment = shim(SL_MIN_SHARED="1K", SL_MAX_CONNECTIONS=20, SL_LEAVE="QUIT@close", **PACE)
    way = environment["SL_LEAVE"]
    expect_recycled(HandWritten(environment, wait, oddity="cancelled"), way)


@pytest.mark.alone  # beside others that compute, nobody comes further than to the next handler
def test_handler_that_does_not_return():
    """It comes every 0.3 ms, wherever the wait is by then."""
    environment = shim(SL_MAX_UNSHARED="1G", SL_MAX_CONNECTIONS=20, SL_LEAVE="QUIT@idle", **PACE)
    expect_recycled(HandWritten(environment, "jumping"), "QUIT@idle")


def test_small_stack():
    """A handler closes connections on a stack that has 4 KB more than it needs. It is measured there
    at each of them, and leaves at a moment at which it is in no handler."""
    environment = shim(SL_MAX_UNSHARED="2M", SL_LEAVE="QUIT@accept", **PACE)
    expect_recycled(HandWritten(environment, "accept", "in_handler"), "QUIT@accept")


# In the order of a leaving: the watchdog, what the C library holds, the end.
LAST_CALLS = {"sigaction", "sigemptyset", "sigaddset", "sigprocmask", "alarm", "fflush", "_exit"}
BINDING = r"^ *(\d+):\tbinding file \S*libslshim\.so \[0\] to \S+ \[0\]: normal symbol `(\w+)' \[\S+\]$"


@pytest.mark.parametrize("wait", ["accept", "epoll_wait"])
def test_workers_have_nothing_bound(wait):
    """A function's first call takes much of a stack: those were made in the master, but for the last
    ones. Workers write at the same time, and so some lines are mixed up: what all of them call counts."""
    environment = shim(SL_MAX_UNSHARED="1G", SL_MAX_CONNECTIONS=20, SL_MAX_SWAP="1G", **PACE)
    server = HandWritten(environment, wait)
    server.environment |= {"LD_DEBUG": "bindings", "LD_DEBUG_OUTPUT": str(server.directory / "bound")}
    expect_recycled(server, "_exit@idle", at_least=30)
    (said,) = [path.read_text() for path in server.directory.glob(f"bound.{server.master.pid}")]
    found = Counter(
        name
        for pid, name in re.findall(BINDING, said, re.MULTILINE)
        if int(pid) != server.master.pid
    )
    print(found)
    assert {name for name, count in found.items() if count >= 8} <= LAST_CALLS


def test_never_leaves_on_a_handlers_stack():
    """Where that is the only moment that was named, the worker stays and says so."""
    environment = shim(SL_MAX_CONNECTIONS=1, SL_LEAVE="_exit@close", SL_REPLACE_TIMEOUT="1s")
    with HandWritten(environment, "accept", "in_handler") as server:
        load_until(server, lambda: "it has not come to its exit point" in server.log())
        assert server.leavings() == []
        assert server.stop() == 0


class Hidden(Httpd):
    """Its children may see no process but their own in /proc, as with systemd's
    ProtectProc=invisible: they have another user than their master, and so may not look at each
    other."""

    ALONE = 'mount -t proc -o hidepid=2 proc /proc && exec "$0" "$@"'

    def __post_init__(self):
        super().__post_init__()
        command = [tool("unshare"), "-m", "sh", "-c", self.ALONE]
        if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
            raise Missing("a /proc of its own, which takes root")
        script = self.directory / "hidden"
        words = " ".join(f"'{word}'" for word in command)
        script.write_text(f'#!/bin/sh\nexec {words} {self.program} "$@"\n')
        script.chmod(0o755)
        self.program = script


def test_siblings_that_proc_hides():
    """Recycled as with a /proc that shows them."""
    with Hidden(shim(SL_MAX_CONNECTIONS=20, SL_MAX_UNSHARED="1G"), workers_at_start=8) as server:
        load_until_left(server, 15, lambda server: ab(server.url(), 200, clients=4))
        assert "is not watched" not in server.log()
        assert "stays" not in server.log()
        assert all("unshared unknown" not in leaving.text for leaving in server.leavings())
