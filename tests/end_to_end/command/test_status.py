"""slshim status: what a page tells of a real pool, and of one that cannot be read."""

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from servers import (
    BUILD, Httpd, Missing, ab, as_root, load_until_left, rounds_of, said, shim, tool, wait_until
)  # fmt: skip
from started import NAMED, Started

SLSHIM = BUILD / "slshim"


def status(*words, environment=None, **options):
    return subprocess.run(
        [SLSHIM, "status", *map(str, words)],
        env=environment if environment is not None else {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        **options,
    )


def pools(*words, **options):
    result = status("--json", *words, **options)
    return json.loads(result.stdout)["pools"]


def pool_of(server, **options):
    (pool,) = [pool for pool in pools(**options) if pool["master"] == server.master.pid]
    return pool


def pids_of(pool):
    return {worker["pid"] for worker in pool["workers"]}


def pool_of_all(server):
    """When each of its workers has come to accept, and no other is shown."""

    def seen():
        pool = pool_of(server)
        return pool if pids_of(pool) == server.pids() else None

    return wait_until(seen, "each worker is shown")


@pytest.mark.parametrize("arguments", [["-DFOREGROUND"], []], ids=["in the foreground", "as a daemon"])
def test_a_pool_is_told_as_it_is(arguments):
    """A daemon is the child of a process that has ended, as a worker's child is."""
    environment = shim(SL_MAX_UNSHARED="1G", SL_MAX_CONNECTIONS="100000")
    with Httpd(environment, arguments=tuple(arguments)) as server:
        ab(server.url(), 400).expect_good()
        pool = pool_of_all(server)
        assert pool["program"] == Path(server.master.exe()).name
        assert pool["listeners"] == f"127.0.0.1:{server.ports[0]}"
        assert pool["method"] == "USR1@close" and pool["replacing"] == "yes"
        assert pool["limit"] == {"SL_MAX_UNSHARED": 1 << 30, "SL_MAX_CONNECTIONS": 100000}
        assert pool["counts"]["leavings_all"] == 0 and pool["vacancies"] == 0
        for worker in pool["workers"]:
            memory = psutil.Process(worker["pid"]).memory_full_info()
            assert abs(worker["resident"] - memory.rss) < memory.rss / 4
            assert worker["connections"] != 0
            if worker["unshared"] is not None:  # where slshim has to measure, it does so for a while
                assert abs(worker["unshared"] - memory.uss) < 1 << 20
        assert any(worker["unshared"] for worker in pool["workers"])


def test_a_worker_or_its_master_names_the_pool():
    with Httpd(shim(SL_MAX_CONNECTIONS="100000")) as server, Httpd(shim(SL_MAX_AGE="1d")) as other:
        ab(server.url(), 100).expect_good()
        for pid in (server.master.pid, min(server.pids())):
            (pool,) = pools(pid)
            assert pool["master"] == server.master.pid
        assert {pool["master"] for pool in pools()} >= {server.master.pid, other.master.pid}


def test_leavings_are_counted_as_the_log_has_them():
    with Httpd(shim(SL_MAX_CONNECTIONS="20")) as server:
        load_until_left(server, 12, rounds_of(200))
        wait_until(lambda: not {x.pid for x in server.leavings()} & server.pids(), "they ended")
        counts = pool_of(server)["counts"]
        left = len(server.leavings())
        assert counts["leavings"] == {"SL_MAX_CONNECTIONS": left}
        assert counts["leavings_all"] == left <= counts["replacements"] + 10
        assert counts["served"] >= 20 * left
        assert counts["connections"] >= counts["served"]


def test_what_a_dry_run_would_do_is_counted_apart():
    with Httpd(shim(SL_MAX_CONNECTIONS="20", SL_DRY_RUN="1")) as server:
        ab(server.url(), 1000).expect_good()
        pool = pool_of(server)
        assert pool["is_dry_run"]
        assert pool["counts"]["would_leave"]["SL_MAX_CONNECTIONS"] > 0
        assert pool["counts"]["leavings_all"] == 0


def test_a_worker_that_is_killed_is_dead_until_it_is_replaced():
    with Httpd(shim(SL_MAX_CONNECTIONS="100000")) as server:
        ab(server.url(), 200).expect_good()
        victim = min(pids_of(pool_of_all(server)))
        server.master.suspend()
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: psutil.Process(victim).status() == "zombie", "it is dead")
        (worker,) = [worker for worker in pool_of(server)["workers"] if worker["pid"] == victim]
        assert worker["state"] == "dead"
        server.master.resume()


def test_what_holds_a_worker_is_told():
    """It is over its limit, and its way is forbidden."""
    with Httpd(shim(SL_MAX_CONNECTIONS="5", SL_LEAVE="none")) as server:
        ab(server.url(), 400).expect_good()
        held = {worker["held_by"] for worker in pool_of(server)["workers"]}
        assert any("SL_LEAVE" in reason for reason in held if reason)


def test_a_table_for_people():
    with Httpd(shim(SL_MAX_CONNECTIONS="20")) as server:
        load_until_left(server, 5, rounds_of(200))
        shown = pids_of(pool_of_all(server))
        result = status(server.master.pid)
        assert result.returncode == 0 and result.stderr == ""
        head, settings, *_ = result.stdout.splitlines()
        assert f"master {server.master.pid}" in head and f"127.0.0.1:{server.ports[0]}" in head
        assert "SL_MAX_CONNECTIONS=20" in settings
        assert "over SL_MAX_CONNECTIONS" in result.stdout
        for pid in shown:
            assert str(pid) in result.stdout


# ------------------------------------------------------------------- SL_STATUS


@pytest.fixture
def directory():
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="slshim-test-") as path:
        yield Path(path)


@pytest.mark.parametrize("mode", ["0600", "0640", "0644"])
def test_a_file_of_the_page(directory, mode):
    """Found also where the processes are not seen."""
    with Httpd(shim(SL_MAX_CONNECTIONS="20", SL_STATUS=directory, SL_STATUS_MODE=mode)) as server:
        load_until_left(server, 5, rounds_of(200))
        (file,) = directory.iterdir()
        assert file.stat().st_mode & 0o7777 == int(mode, 8)
        assert pool_of(server)["counts"]["leavings_all"] >= 5
        shown = len(pool_of_all(server)["workers"])
        environment = {"PATH": os.environ["PATH"], "SL_STATUS": str(directory)}
        hidden = subprocess.run(
            ["/usr/bin/unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc",
             SLSHIM, "status", "--json"],
            env=environment, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        if "unshare" in hidden.stderr:
            raise Missing(f"unshare(1) may make no pid namespace: {hidden.stderr}")
        (pool,) = json.loads(hidden.stdout)["pools"]
        assert pool["master"] is None and pool["counts"]["leavings_all"] >= 5
        assert len(pool["workers"]) >= shown


def test_the_file_of_a_server_that_has_ended_is_removed(directory):
    with Httpd(shim(SL_MAX_CONNECTIONS="20", SL_STATUS=directory)) as server:
        (first,) = directory.iterdir()
        server.master.kill()
    environment = {"PATH": os.environ["PATH"], "SL_STATUS": str(directory)}
    assert [pool for pool in pools(environment=environment) if pool["master"] is None] == []
    with Httpd(shim(SL_MAX_CONNECTIONS="20", SL_STATUS=directory)) as server:
        (second,) = directory.iterdir()
        assert second.name != first.name


@pytest.mark.parametrize(
    "make,fault",
    [
        (lambda path: Path("/proc"), "it is not on a tmpfs"),
        (lambda path: path / "none", "it cannot be opened"),
        (lambda path: path.chmod(0o777) or path, "others may write to it"),
    ],
    ids=["no tmpfs", "missing", "of others"],
)
def test_a_directory_that_will_not_do(directory, make, fault):
    """The log says why, and the page is memory as without it."""
    path = make(directory)
    with Httpd(shim(SL_MAX_CONNECTIONS="20", SL_STATUS=path)) as server:
        load_until_left(server, 5, rounds_of(200))
        lines = said(server)
        assert lines.count(fault) == 1

        assert pool_of(server)["counts"]["leavings_all"] >= 5


# ------------------------------------------------------- workers started by execve


@pytest.mark.parametrize("asked", ["all", "the master", "a worker"])
def test_workers_that_are_started(asked):
    """Their master maps no page; theirs is a file."""
    with Started(shim(SL_MAX_CONNECTIONS="20", **NAMED)) as server:
        load_until_left(server, 5)
        worker = min(pids_of(pool_of_all(server)))
        pids = {"all": [], "the master": [server.master.pid], "a worker": [worker]}[asked]
        (pool,) = [pool for pool in pools(*pids) if pool["master"] == server.master.pid]
        assert pool["program"] == "worker" and pool["limit"] == {"SL_MAX_CONNECTIONS": 20}
        assert pool["counts"]["leavings_all"] >= 5 and worker in pids_of(pool)


# ------------------------------------------------------------------ what cannot be


def test_a_program_that_asks_for_it_in_vain(tmp_path):
    """A static program, into which nothing is preloaded."""
    sleeper = tmp_path / "static_sleeper"
    source = "#include <unistd.h>\nint main(void) { pause(); }\n"
    command = [tool("gcc"), "-static", "-o", sleeper, "-x", "c", "-"]
    subprocess.run(command, input=source, text=True, check=True)
    process = subprocess.Popen([sleeper], env=shim(SL_MAX_AGE="1"))
    try:
        wait_until(lambda: psutil.Process(process.pid).exe() == str(sleeper), "it runs")
        found = json.loads(status("--json").stdout)["unmapped"]
        assert {"pid": process.pid, "program": "static_sleeper"} in found
    finally:
        process.kill()
        process.wait()


def test_without_the_right_to_look():
    if not as_root():
        raise Missing("only root can become another user")
    with Httpd(shim(SL_MAX_CONNECTIONS="20")) as server:
        result = status(server.master.pid, user="nobody")
        assert result.returncode == 1 and result.stdout == ""
        assert "may not be read" in result.stderr or "there is no pool" in result.stderr


@pytest.mark.parametrize(
    "words,expected",
    [
        (["--jsn"], "--jsn is no option; accepted: --json"),
        (["17x"], '"17x" is no pid; accepted: a number'),
        (["1", "2"], "status takes one pid, or none"),
    ],
)
def test_errors(words, expected):
    result = status(*words)
    assert result.returncode == 125 and expected in result.stderr
    assert result.stderr.count("\n") == 1
