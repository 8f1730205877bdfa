"""slshim metrics against what a real server's log, the kernel and curl tell of the same."""

import os
import subprocess
import time

import psutil
import pytest

from servers import (
    BUILD,
    LeakyPrefork,
    ab,
    as_root,
    free_port,
    get,
    load_until_left,
    rounds_of,
    shim,
    tool,
    unshared,
    wait_until,
)
from test_metrics import answers, samples

COMMAND = BUILD / "slshim"
LEFT = "slshim_workers_left_total"


def metrics(*words, **arguments):
    return subprocess.run(
        [COMMAND, "metrics", *map(str, words)], capture_output=True, text=True, timeout=20, **arguments
    )


class Pool:
    """The figures of the pool of one server."""

    def __init__(self, server, *options, text=None):
        if text is None:
            done = metrics(*options, server.master.pid)
            assert (done.returncode, done.stderr) == (0, "")
            text = done.stdout
        self.listener = f"127.0.0.1:{server.port}"
        self.all = {
            (name, frozenset(labels)): value
            for name, labels, value in ((n, l, v) for (n, l), v in samples(text).items())
            if ("listener", self.listener) in labels
        }

    def __getitem__(self, name):
        return self.by(name, None)

    def by(self, name, label, **more):
        """The only value; with a label, the values by it."""
        found = {
            dict(labels).get(label): value
            for (other, labels), value in self.all.items()
            if other == name and more.items() <= dict(labels).items()
        }
        return found if label else found.get(None)

    def labels(self, name):
        return next(dict(labels) for (other, labels) in self.all if other == name)


def rest(server):
    """Waits until nobody leaves any more, and all have told how they are: once a second."""
    seen = []

    def is_over():
        seen.append((time.monotonic(), len(server.leavings())))
        return len(server.pids()) == server.workers_at_start and [
            at for at, count in seen if count == seen[-1][1] and at < seen[-1][0] - 1.5
        ]

    wait_until(is_over, "no worker has left for a while")


def test_counts_are_those_of_the_log():
    with LeakyPrefork(shim(SL_MAX_UNSHARED="3M", SL_MAX_CONNECTIONS=10000, SL_MAX_AGE="1h")) as server:
        load_until_left(server, 3)
        rest(server)
        pool, log = Pool(server), server.leavings()
        now = time.time()
        assert len(log) >= 3
        over = [leaving for leaving in log if "SL_MAX_UNSHARED" in leaving.limits]
        reasons = pool.by("slshim_leavings_total", "reason")
        assert reasons.pop("unshared") == len(over)
        assert sum(reasons.values()) == sum(len(leaving.limits) for leaving in log) - len(over)
        assert set(reasons) == {"connections", "age", "asked"}
        assert pool[LEFT] == len(log)
        assert pool["slshim_connections_total"] >= pool["slshim_lifetime_connections_total"]
        assert pool["slshim_lifetime_connections_total"] == sum(leaving.connections for leaving in log)
        waited = sum(leaving.waited for leaving in log)
        assert pool["slshim_turn_wait_seconds_total"] == pytest.approx(waited, abs=0.01 * len(log))
        assert pool["slshim_replacements_total"] == len(log)
        assert pool["slshim_unfilled_vacancies"] == pool["slshim_deaths_total"] == 0
        assert now - 60 < pool["slshim_last_leaving_timestamp_seconds"] <= now
        assert pool["slshim_walks_total"] > 0 and pool["slshim_walk_seconds_total"] > 0
        assert pool.by("slshim_limit_bytes", "quantity") == {"unshared": 3 << 20}
        assert pool.by("slshim_limit_events", "quantity") == {"connections": 10000}
        assert pool.by("slshim_limit_seconds", "quantity") == {"age": 3600}
        states = pool.by("slshim_workers", "state")
        assert sum(states.values()) == len(server.pids())
        labels = pool.labels("slshim_pool_info")
        assert labels["program"] == "leaky_prefork" and labels["method"] == log[0].way
        assert labels["dry_run"] == "false" and "master" not in labels


def test_a_worker_that_was_killed():
    with LeakyPrefork(shim(SL_MAX_RSS="10G")) as server:
        ab(server.url(), 100)
        victim = server.workers()[0]
        victim.kill()
        wait_until(lambda: victim.pid not in server.pids(), "it is gone")
        wait_until(
            lambda: ab(server.url(), 20) and Pool(server)["slshim_deaths_total"] == 1, "its death is counted"
        )
        assert Pool(server)[LEFT] == 0


def test_dry_run():
    """Each worker would have left once."""
    with LeakyPrefork(shim(SL_MAX_CONNECTIONS=20, SL_DRY_RUN=1), workers=4) as server:
        load_until_left(server, 4, rounds_of(200))
        pool = Pool(server)
        assert len(server.leavings()) == 4
        assert pool["slshim_workers_would_leave_total"] == 4
        assert pool.by("slshim_would_leave_total", "reason") == {"connections": 4}
        assert pool[LEFT] == 0
        assert pool.labels("slshim_pool_info")["dry_run"] == "true"


def test_a_limit_that_is_too_low():
    """A fresh worker is over it, so it is none for any of them."""
    with LeakyPrefork(shim(SL_MAX_RSS="10M"), workers=4, preloaded_mb=32) as server:
        ab(server.url(), 100).expect_good()
        assert Pool(server)["slshim_spared_total"] == 4
        assert Pool(server)[LEFT] == 0


def test_memory_is_what_the_kernel_tells():
    """A worker far from its limit walks its page tables every 10 s, and tells once a second."""
    with LeakyPrefork(shim(SL_MAX_UNSHARED="10G"), workers=2, leaked_kb=4) as server:
        near = 512 << 10

        def agrees():
            ab(server.url(), 4, clients=2).expect_good()
            pool = Pool(server, "--per-worker")
            told = pool.by("slshim_worker_unshared_bytes", "pid")
            real = {str(worker.pid): unshared(worker) for worker in server.workers()}
            if told.keys() != real.keys() or any(abs(told[pid] - real[pid]) > near for pid in real):
                return None
            return pool

        pool = wait_until(agrees, "what workers tell is what they have")
        told = pool.by("slshim_worker_unshared_bytes", "pid").values()
        assert pool["slshim_unshared_bytes"] == sum(told)
        assert pool["slshim_worker_unshared_max_bytes"] == max(told)
        proportional = sum(pool.by("slshim_worker_proportional_bytes", "pid").values())
        assert pool["slshim_proportional_bytes"] == proportional
        assert pool["slshim_shared_once_bytes"] == proportional - sum(told)
        assert pool["slshim_unmeasured_workers"] == 0
        resident = pool.by("slshim_worker_resident_bytes", "pid")
        started = pool.by("slshim_worker_start_time_seconds", "pid")
        for worker in server.workers():
            assert resident[str(worker.pid)] == pytest.approx(worker.memory_info().rss, abs=near)
            assert started[str(worker.pid)] == pytest.approx(worker.create_time(), abs=2)


def test_what_workers_never_tell_is_measured():
    """No limit needs a walk of their page tables."""
    with LeakyPrefork(shim(SL_MAX_CONNECTIONS=1000), workers=2) as server:
        pool = Pool(server, "--per-worker")
        assert pool["slshim_unmeasured_workers"] == 0
        real = sum(unshared(worker) for worker in server.workers())
        assert pool["slshim_unshared_bytes"] == pytest.approx(real, abs=1 << 20)


def test_two_servers_over_http():
    port = free_port()
    with LeakyPrefork(shim(SL_MAX_CONNECTIONS=11)) as one, LeakyPrefork(shim(SL_MAX_CONNECTIONS=22)) as other:
        with subprocess.Popen([COMMAND, "metrics", "--listen", str(port)]) as process:
            try:
                url = f"http://127.0.0.1:{port}/metrics"
                wait_until(lambda: answers(url), "it answers")
                text = get(url)
            finally:
                process.terminate()
        for server, limit in ((one, 11), (other, 22)):
            pool = Pool(server, text=text)
            assert pool.by("slshim_limit_events", "quantity") == {"connections": limit}
            assert "master" not in pool.labels("slshim_pool_info")


@pytest.mark.skipif(not as_root(), reason="to be another user takes root")
def test_another_user():
    """May not look; what there is otherwise is there all the same."""
    with LeakyPrefork(shim(SL_MAX_CONNECTIONS=1000)) as server:
        done = metrics(user=65534, group=65534, extra_groups=[])
        assert (done.returncode, done.stderr) == (0, "")
        found = samples(done.stdout)
        assert not any(("listener", f"127.0.0.1:{server.port}") in labels for _, labels in found)
        done = metrics(server.master.pid, user=65534, group=65534, extra_groups=[])
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"slshim: there is no pool of {server.master.pid} that may be read\n"


def test_a_process_without_the_library(tmp_path):
    """Its environment names it, and it is static."""
    source, program = tmp_path / "program.c", tmp_path / "a static one"
    source.write_text("#include <unistd.h>\nint main(void) { return pause(); }\n")
    subprocess.run([tool("gcc"), "-static", "-o", program, source], check=True)
    with subprocess.Popen([program], env=os.environ | shim(SL_MAX_RSS="1G")) as process:
        try:
            wait_until(lambda: psutil.Process(process.pid).name() == program.name, "it runs")
            found = samples(metrics(process.pid).stdout)
            assert found[("slshim_unmapped_processes", (("program", program.name),))] == 1
        finally:
            process.kill()


def test_a_server_with_a_wrong_setting():
    """One server, however many workers it has."""
    with LeakyPrefork(shim(SL_MAX_RSS="much"), workers=4, settled=False) as server:
        wait_until(lambda: len(server.pids()) == 4, "its workers are there")
        found = samples(metrics().stdout)
        assert found[("slshim_configuration_errors", (("program", "leaky_prefork"),))] == 1


def test_no_such_process():
    done = metrics(2**22 + 1)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"slshim: there is no pool of {2**22 + 1} that may be read\n")
