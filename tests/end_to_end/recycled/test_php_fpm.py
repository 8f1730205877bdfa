"""php-fpm behind nginx: with each process manager, on a port and on a Unix socket, with FastCGI
connections for one request and for several; and what it does when the response has been sent. Its
own recycling is pm.max_requests."""

import contextlib
import signal
from pathlib import Path

import psutil
import pytest

from known import expect_alike, expect_reload, run_own, run_shimmed
from php_fpm import MANAGERS, PhpFpm
from marks import long
from servers import (
    Missing, ab, ab_each, as_root, load_until, load_until_left, rounds_of, sessions, shim, unshared,
    wait_until
)  # fmt: skip


MB = 1024 * 1024


def pool_of(worker):
    """From what a worker writes over its command line: "php-fpm: pool NAME"."""
    with contextlib.suppress(psutil.Error):
        return " ".join(worker.cmdline()).rpartition("pool ")[2].strip()
    return None


def make(**attributes):
    def make_one(environment=None, own=None):
        server = PhpFpm(environment, own)
        vars(server).update(attributes)
        return server

    return make_one


def use(server):
    """No more clients than workers: a kept-alive connection holds its worker."""
    return [ab(server.url(), 600, clients=4), sessions(server.port, 60, clients=4)]


@pytest.mark.parametrize("requests", [0, 5], ids=["one request", "kept alive"])
@pytest.mark.parametrize("on_port", [*long(False), True])
@pytest.mark.parametrize("manager", list(MANAGERS))
def test_php_fpm(manager, on_port, requests):
    variant = make(manager=manager, on_port=on_port, requests=requests)
    expect_alike(run_own(variant, use), run_shimmed(variant, use), hooks=False)


@pytest.mark.skipif(not as_root(), reason="chroot takes root")
@pytest.mark.parametrize("limit", [{}, {"SL_MAX_GROWTH": "1K", "SL_MAX_CONNECTIONS": 0}])
def test_chroot(limit):
    """Its workers see no /proc; their error log is that of the master."""
    shimmed = run_shimmed(make(chroot=True), use, **limit)
    expect_alike(run_own(make(chroot=True), use), shimmed, hooks=False)


def test_work_after_the_response():
    """What a script does after fastcgi_finish_request() and in shutdown functions is done, all of
    it, though the connection is closed by then."""
    requests = 3000
    environment = shim(SL_MAX_CONNECTIONS=20, SL_MAX_LEAVING="100%")
    with make()(environment) as server:
        ab(server.url("/?job"), requests).expect_good()
        wait_until(lambda: len(server.leavings()) >= 100, "many left")
        wait_until(lambda: sum(server.noted().values()) >= 2 * requests, "all is noted")
        assert server.noted() == {"background": requests, "shutdown": requests}
        assert set(server.statuses()) == {"exited 0"}
        assert server.stop() == 0


FILLS_A_SEGMENT = """<?php
apcu_store(getmypid() . "." . uniqid("", true), random_bytes(65536));
echo "ok\\n";
"""
APCU = ("extension=apcu.so", "apc.shm_size=256M")


@pytest.mark.parametrize("probe", ["auto", "smaps", "rollup"])
def test_apcu(probe):
    """Each worker fills megabytes of its segment that nobody else touches. Its end would not free
    them, so it stays, except where the probe cannot tell."""
    if not list(Path("/usr/lib/php").glob("*/apcu.so")):
        raise Missing("php's module apcu is not installed")
    environment = shim(SL_MAX_UNSHARED="16M", SL_PROBE=probe)
    with make(script_text=FILLS_A_SEGMENT, settings=APCU)(environment) as server:
        fill = rounds_of(200, clients=4)
        if probe == "rollup":
            load_until_left(server, 1, fill)
        else:
            load_until(server, lambda: filled_most(server) >= 20 * MB, fill)
            assert server.leavings() == []
        assert server.stop() == 0


def filled_most(server):
    """Bytes that some worker has to itself, as an observer sees it."""
    return max((unshared(worker) or 0 for worker in server.workers()), default=0)


def test_one_of_two_pools():
    """Workers of the pool that SL_LISTEN names leave; those of the other one stay."""
    pools = make(pools=("", "other"))
    server = pools({})
    server.environment |= shim(SL_MAX_CONNECTIONS=20, SL_LISTEN=server.socket("other"))

    def pids(pool):
        return {worker.pid for worker in server.workers() if pool_of(worker) == f"pool-{pool}"}

    def left():
        return {leaving.pid for leaving in server.leavings()}

    with server:
        wait_until(lambda: len(pids("")) == len(pids("other")) == 4, "both pools are there")
        before = pids("")
        for _ in range(40):
            for load in ab_each([server.url(), server.url("/other")], 300, clients=4):
                load.expect_good()
            if len(left()) >= 15:
                break
        assert len(left()) >= 15
        assert pids("") == before and not before & left()
        wait_until(lambda: not pids("other") & left(), "they are gone")
        assert server.stop() == 0


def test_reload():
    """By which the master becomes another image of its program, with the listeners it had."""
    expect_reload(make()(shim(SL_MAX_CONNECTIONS=20)), signal.SIGUSR2, use)
