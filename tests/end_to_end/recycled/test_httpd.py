"""The main job: children of a real httpd are recycled by what they have grown to, and no client
notices."""

import os
import signal
from pathlib import Path

import pytest

from marks import long, long_but
from servers import (
    THREADED_POOL, Httpd, Sampler, ab, ab_each, as_root, get, growing, load_until_left, rounds_of, shim,
    unshared, wait_until, wrk
)  # fmt: skip

MUTEXES = ["default", "sysvsem", "posixsem", "pthread", "fcntl", "flock"]
KB, MB = 1024, 1024 * 1024
PAGE = os.sysconf("SC_PAGESIZE")


def load_all_ports(server, requests, path="/", clients=8):
    """The same number of requests on every port at the same time."""
    share = len(server.ports)
    urls = [server.url(path, port) for port in range(share)]
    return ab_each(urls, requests // share, clients // share)


def expect_sound(server, loads, at_least):
    """Nothing lost, enough recycled, a clean stop."""
    left = server.leavings()
    print(f"{sum(load.requests for load in loads)} requests, {len(left)} leavings")
    for load in loads:
        load.expect_good()
    assert len(left) >= at_least
    assert get(server.url()) == "ok\n"
    assert server.is_running()
    assert server.stop() == 0
    return left


@pytest.fixture(scope="module")
def own_complaints():
    """What httpd logs at warn or above when its own MaxConnectionsPerChild recycles as often."""
    complaints = set()
    for listens in (1, 2):
        with Httpd(listens=listens, config="MaxConnectionsPerChild 20") as server:
            load_all_ports(server, 6000)
            complaints |= server.complaints()
            server.stop()
    return complaints


MANY = [(1, "default"), *[(2, name) for name in MUTEXES]]


@pytest.mark.parametrize("pool", long_but([*MANY[:2], (2, "sysvsem"), (2, "pthread")], MANY), ids=str)
def test_many_leavings(pool, own_complaints):
    """All may leave at once: as often as httpd can replace them. It takes a mutex around accept
    where it has more than one listener."""
    listens, mechanism = pool
    environment = shim(SL_MAX_CONNECTIONS=20, SL_MAX_LEAVING="100%")
    with Httpd(environment, listens, config=f"Mutex {mechanism}", observed=True) as server:
        loads = load_all_ports(server, 6000)
        left = expect_sound(server, loads, at_least=200)
        assert {leaving.way for leaving in left} == {"USR1@close"}
        assert {leaving.connections for leaving in left} == {21}
        statuses = server.statuses()
        assert len(statuses) >= len(left)
        assert set(statuses) == {"exited 0"}
        assert server.complaints() <= own_complaints


@pytest.mark.parametrize("mechanism", long_but(["default"], MUTEXES))
def test_default_pace(mechanism, own_complaints):
    """A tenth of the children at a time, as comes with the defaults."""
    with Httpd(shim(SL_MAX_CONNECTIONS=200), 2, config=f"Mutex {mechanism}", observed=True) as server:
        loads = load_all_ports(server, 100000)
        expect_sound(server, loads, at_least=3)
        assert set(server.statuses()) == {"exited 0"}
        assert server.complaints() <= own_complaints


@pytest.mark.parametrize("keep_alive", [False, True])
def test_kept_alive_connections(keep_alive):
    environment = shim(SL_MAX_CONNECTIONS=5, SL_MAX_LEAVING="100%")
    with Httpd(environment, config="MaxKeepAliveRequests 7", observed=True) as server:
        loads = [
            wrk(server.url(), seconds=5, keep_alive=keep_alive),
            ab(server.url(), 2000, keep_alive=keep_alive),
        ]
        expect_sound(server, loads, at_least=20)
        assert set(server.statuses()) == {"exited 0"}


@pytest.mark.parametrize("listens", [*long(1), 2])
def test_mod_perl_by_unshared_memory(listens):
    """No child's unshared memory, seen from outside, exceeds the limit by more than one request
    and 1 MB; every exit handler runs."""
    limit, growth = 12 * MB, 64 * KB
    environment = shim(SL_MAX_UNSHARED="12M", SL_MAX_LEAVING=64)  # of 64: nobody waits
    config = growing(preloaded_mb=64, unshared_kb=growth // KB)
    with Httpd(environment, listens, ("perl",), config, observed=True) as server:
        with Sampler(server) as sampler:
            loads = load_all_ports(server, 4000, "/grow")
            while len(server.leavings()) < 20 and len(loads) < 10:
                loads.append(wrk(server.url("/grow"), seconds=3, keep_alive=False))
        left = expect_sound(server, loads, at_least=20)
        assert {leaving.served_meanwhile for leaving in left} == {0}
        assert max(sampler.highest.values()) <= limit + growth + MB
        for leaving in left:
            value, threshold = leaving.limits["SL_MAX_UNSHARED"]
            assert threshold == limit // KB < value
        assert max(sampler.highest.values()) > limit * 0.9  # it was tried
        assert set(server.statuses()) == {"exited 0"}
        ended = server.witness.read_text().split()
        assert {str(leaving.pid) for leaving in left} <= set(ended)
        assert len(ended) == len(set(ended))


@pytest.mark.skipif(not as_root(), reason="chroot takes root")
@pytest.mark.parametrize(
    ("mpm", "limit"),
    [
        ("prefork", {"SL_MAX_CONNECTIONS": 20}),
        ("prefork", {"SL_MAX_GROWTH": "1K"}),
        ("worker", {"SL_MAX_CONNECTIONS": 20}),
        ("event", {"SL_MAX_CONNECTIONS": 20}),
    ],
)
def test_chroot(mpm, limit):
    """Its children see no /proc, and the files of the server by their usual names. What glibc loads
    when a thread ends has to be there before."""
    threaded = f"LoadFile {next(Path('/lib').glob('*/libgcc_s.so.1'))}\n{THREADED_POOL}"
    config = 'ChrootDir "@directory@"\n' + ("" if mpm == "prefork" else threaded)
    environment = shim(**limit, SL_MAX_LEAVING="100%")
    with Httpd(environment, mpm=mpm, config=config, observed=True) as server:
        inside = server.directory / server.directory.relative_to("/")
        inside.parent.mkdir(parents=True)
        inside.symlink_to("/")
        loads = []
        while len(server.leavings()) < 15 and len(loads) < 10:
            loads.append(ab(server.url(), 1000))
        expect_sound(server, loads, at_least=15)
        assert set(server.statuses()) == {"exited 0"}


def test_growth_of_a_large_master_is_copy_on_write():
    """In a child of a 200 MB master a limit of 50 MB does not fire at first, as statm would have
    it, but when 50 MB have been written."""
    environment = shim(SL_MAX_UNSHARED="50M", SL_MAX_LEAVING="100%")
    config = growing(preloaded_mb=200, unshared_kb=1024)
    with Httpd(environment, modules=("perl",), config=config, workers_at_start=1) as server:
        for _ in range(30):
            get(server.url("/grow"))
        assert server.leavings() == []
        assert max(unshared(worker) for worker in server.workers()) < 50 * MB
        for _ in range(200):
            get(server.url("/grow"))
        first = server.leavings()[0]
        assert 50 * KB < first.limits["SL_MAX_UNSHARED"][0] <= 52 * KB
        # One of them is a request that does not grow. Of 64 KB pages, all of one counts that was written to.
        assert (50 if PAGE == 4 * KB else 45) <= first.connections <= 52


@pytest.mark.parametrize("listens", [*long(1), 2])
def test_mod_php(listens):
    """Work after the response is done before a child leaves: every shutdown function ran."""
    environment = shim(SL_MAX_CONNECTIONS=20, SL_MAX_LEAVING="100%")
    config = '<FilesMatch "\\.php$">\nSetHandler application/x-httpd-php\n</FilesMatch>'
    with Httpd(environment, listens, ("php",), config, observed=True) as server:
        (server.directory / "htdocs" / "work.php").write_text(
            "<?php register_shutdown_function(function () {"
            f"file_put_contents('{server.witness}', \"x\", FILE_APPEND | LOCK_EX); }});"
            "$text = str_repeat('y', 1 << 20); echo \"ok\\n\";"
        )
        loads = load_all_ports(server, 4000, "/work.php")
        expect_sound(server, loads, at_least=50)
        assert server.witness.stat().st_size == 4000
        assert set(server.statuses()) == {"exited 0"}


def test_turns():
    """One at a time: the next goes when a newcomer has filled the vacancy, or the timeout is up."""
    environment = shim(SL_MAX_CONNECTIONS=5, SL_MAX_LEAVING=1, SL_REPLACE_TIMEOUT="2s")
    config = "MinSpareServers 2\nMaxSpareServers 32"
    seconds = 7
    with Httpd(environment, config=config) as server:
        wait_until(lambda: len(server.workers()) == 32, "all children are there")
        first = server.pids()
        with Sampler(server) as sampler:
            loads = [wrk(server.url(), seconds, clients=4, keep_alive=False)]
        left = expect_sound(server, loads, at_least=3)
        born = set(sampler.highest) - first
        print(f"{len(born)} were born meanwhile")
        assert len(left) <= 1 + len(born) + seconds // 2
        assert max(leaving.waited for leaving in left) > 0.5
        assert max(leaving.served_meanwhile for leaving in left) > 0


@pytest.mark.parametrize("by", [signal.SIGUSR1, signal.SIGHUP], ids=["graceful", "restart"])
def test_restart(by):
    """The master goes on, with the same limits, and is not one to leave itself."""
    environment = shim(SL_MAX_CONNECTIONS=20, SL_MAX_LEAVING="100%")
    with Httpd(environment, observed=True) as server:
        master = server.master.pid
        loads = [ab(server.url(), 1000)]
        for _ in range(2):
            before = server.pids()
            server.master.send_signal(by)
            wait_until(lambda: not before & server.pids(), "all children are new")
            loads.append(ab(server.url(), 1000))
        expect_sound(server, loads, at_least=60)
        assert server.master.pid == master
        assert server.log().count("watches its workers") == 1
        assert set(server.statuses()) <= {"exited 0", "killed by SIGHUP", "killed by SIGTERM"}


def test_daemon():
    """Without -DFOREGROUND httpd forks after listen(): its child becomes the master."""
    environment = shim(SL_MAX_CONNECTIONS=20, SL_MAX_LEAVING="100%")
    with Httpd(environment, arguments=()) as server:
        assert server.process.wait(30) == 0
        ab(server.url(), 4000).expect_good()
        assert len(server.leavings()) >= 50
        assert server.log().count("watches its workers") == 1
        assert "their exit method is USR1@close (httpd prefork)" in server.log()
        server.master.terminate()
        wait_until(lambda: not server.is_running(), "the master stopped")


def test_single_process():
    """httpd -X has no master that would replace it."""
    with Httpd(shim(SL_MAX_CONNECTIONS=1, SL_MAX_SIZE=1), arguments=("-X",)) as server:
        ab(server.url(), 500, clients=1).expect_good()
        assert server.is_running()
        assert "leaves" not in server.log()
        server.master.terminate()
        server.process.wait(30)


CGI = """
ScriptAlias /cgi/ "@directory@/cgi/"
ScriptSock "@directory@/cgid.sock"
<Directory "@directory@/cgi">
    Require all granted
</Directory>
"""


@pytest.mark.parametrize("module", [*long("cgi"), "cgid"])
def test_cgi(module):
    """A CGI program forked by a child inherits the connection and closes it: that is not the
    child's close. mod_cgid's daemon is a forked child that accepts, on a socket of its own: it
    stays."""
    environment = shim(SL_MAX_CONNECTIONS=10, SL_MAX_LEAVING="100%")
    config = CGI if module == "cgid" else CGI.replace("ScriptSock", "#")
    with Httpd(environment, modules=("alias", module), config=config, observed=True) as server:
        script = server.directory / "cgi" / "hello"
        script.parent.mkdir()
        script.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\necho ok | cat\n")
        script.chmod(0o755)
        load = ab(server.url("/cgi/hello"), 1500)
        left = expect_sound(server, [load], at_least=40)
        assert {leaving.connections for leaving in left} == {11}
        daemon_ended = [status for status in server.statuses() if status != "exited 0"]
        if module == "cgid":
            assert "opened itself" in server.log()
            assert len(daemon_ended) <= 1  # with its master
        else:
            assert daemon_ended == []


def test_killed_while_away():
    """Children that are killed, however, are no reason to stop recycling."""
    environment = shim(SL_MAX_CONNECTIONS=20, SL_MAX_LEAVING=1, SL_REPLACE_TIMEOUT="1s")
    with Httpd(environment, workers_at_start=8) as server:
        for _ in range(5):
            before = len(server.leavings())
            for worker in server.workers()[:4]:
                worker.kill()
            wait_until(lambda: len(server.workers()) >= 8, "httpd has replaced them")
            load_until_left(server, before + 1, rounds_of(500, clients=2))
        assert server.stop() == 0
