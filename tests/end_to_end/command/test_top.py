"""slshim top of real servers, in a terminal: what is on its screen is what is so."""

import json
import os
import re
import subprocess

import pytest
from terminal import Terminal

from servers import (
    BUILD, LeakyPrefork, ab, as_root, load_until_left, rounds_of, shim, wait_until
)  # fmt: skip

SLSHIM = BUILD / "slshim"
LIMITED = {"SL_MAX_UNSHARED": "2M", "SL_LEAVE": "QUIT@close"}


def top(*words, columns=80, lines=24, **environment):
    return Terminal([SLSHIM, "top", *words], columns, lines, **environment)


def pids(lines):
    """In the table of workers."""
    return {int(found[1]) for line in lines if (found := re.match(r" +(\d+) (?=[a-z])", line))}


def left(lines):
    """How many, as the screen says."""
    (line,) = [line for line in lines if line.startswith("left ")]
    return int(re.match(r"left +(\d+)", line)[1])


def leave_some(server, count=10):
    load_until_left(server, count, rounds_of(400))


def test_shows_a_pool_as_it_is():
    with LeakyPrefork(shim(**LIMITED)) as server:
        ab(server.url(), 16).expect_good()  # which one worker may have served
        with top(server.master.pid, columns=132) as terminal:
            lines = terminal.wait_for_text(
                f"leaky_prefork, master {server.master.pid}, ",
                f"on 127.0.0.1:{server.port}",
                "workers  8: 8 serving; no vacancy",
                "leave by QUIT@close",
                "SL_MAX_UNSHARED=2048 KB",
                "of unshared 2.0M",
                "1-8 of 8, by unshared",
            )
            assert pids(lines) == server.pids()
            assert left(lines) == 0


def test_shows_who_leaves_and_why():
    with LeakyPrefork(shim(**LIMITED)) as server, top(server.master.pid) as terminal:
        first = terminal.wait_for(lambda lines: pids(lines) == server.pids(), "all workers")
        first = pids(first)
        leave_some(server)
        terminal.wait_for(lambda lines: left(lines) == len(server.leavings()), "all leavings")
        wait_until(lambda: len(server.pids()) == 8, "all are replaced")
        lines = terminal.wait_for(lambda lines: pids(lines) == server.pids(), "the replacements")
        assert pids(lines) != first
        terminal.wait_for(
            lambda lines: re.search(
                rf"left +{len(server.leavings())}.*: unshared {len(server.leavings())}\b", "\n".join(lines)
            ),
            "the reason",
        )


def test_rate():
    """Of what has left between two looks."""
    with LeakyPrefork(shim(**LIMITED)) as server, top(server.master.pid, "--delay=2") as terminal:
        terminal.wait_for_text("left     0")
        leave_some(server, 4)
        terminal.wait_for(
            lambda lines: any(re.match(r"left +\d+ \(\d+(\.\d)?/s\)", line) for line in lines), "a rate"
        )


def test_a_worker_stands_for_its_pool():
    """Also when that worker has left."""
    with LeakyPrefork(shim(**LIMITED)) as server:
        worker = min(server.pids())
        with top(worker) as terminal:
            terminal.wait_for_text(f"master {server.master.pid}", f" {worker} serving")
            leave_some(server, 16)
            wait_until(lambda: worker not in server.pids(), "it has left")
            terminal.wait_for(
                lambda lines: worker not in pids(lines) and len(pids(lines)) == 8, "others instead"
            )
            assert f"master {server.master.pid}" in terminal.text()


def test_dry_run():
    """Wide, because where a control group is named the words might be on two lines."""
    server = LeakyPrefork(shim(**LIMITED, SL_DRY_RUN=1))
    with server, top(server.master.pid, columns=120) as terminal:
        terminal.wait_for_text(", a dry run")
        ab(server.url(), 800).expect_good()
        terminal.wait_for(
            lambda lines: any(re.match(r"dry run +would have left [1-9]", line) for line in lines),
            "would have left",
        )
        assert left(terminal.lines()) == 0


def test_resized_and_sorted():
    with LeakyPrefork(shim(SL_MAX_UNSHARED="1G"), workers=64, preloaded_mb=1) as server:
        ab(server.url(), 400).expect_good()
        with top(server.master.pid) as terminal:
            shown = terminal.wait_for_text(" of 64, by unshared")
            rows = int(re.search(r" 1-(\d+) of 64", "\n".join(shown))[1])
            assert rows in (11, 12, 13)  # by what the lines above them say of this machine
            terminal.press("p")
            terminal.wait_for_text(f"1-{rows} of 64, by pid")
            assert pids(terminal.lines()) == set(sorted(server.pids())[:rows])
            terminal.resize(200, 80)
            lines = terminal.wait_for_text("1-64 of 64, by pid", "proporTional")
            assert pids(lines) == server.pids()
            terminal.resize(60, 20)
            lines = terminal.wait_for_text("q quit  Tab pool  capitals sort", " of 64, by pid")
            # One less where a control group is named, too.
            assert re.search(r" 1-(9|10) of 64, by pid", "\n".join(lines))
            terminal.press("q")
            assert terminal.end() == 0
            terminal.expect_restored()


def test_finds_pools_and_switches():
    """All of this host; one that ends is gone, and the others stay."""
    with LeakyPrefork(shim(**LIMITED)) as one:
        with LeakyPrefork(shim(**LIMITED), workers=3) as other, top(columns=200, lines=60) as terminal:
            terminal.wait_for_text(f"{one.master.pid}", f"{other.master.pid}", "pool 1 of")

            def choose(server):
                for _ in range(200):
                    if f"leaky_prefork, master {server.master.pid}," in terminal.text():
                        return
                    before = re.search(r"pool \d+ of", terminal.text())[0]
                    terminal.press("\t")
                    terminal.wait_for(
                        lambda lines, before=before: before not in lines[0]
                        and re.search(r"pool \d+ of", lines[0]),
                        "another pool",
                    )
                raise AssertionError(f"{server.master.pid} is not chosen:\n{terminal.text()}")

            choose(other)
            terminal.wait_for(lambda lines: pids(lines) == other.pids(), "its workers")
            choose(one)
            other.stop()
            terminal.wait_for(
                lambda lines: not any(re.search(rf" {other.master.pid} ", line) for line in lines),
                "the other is gone",
            )
            assert f"leaky_prefork, master {one.master.pid}," in terminal.text()


def test_plain_text():
    with LeakyPrefork(shim(**LIMITED)) as server:
        done = subprocess.run(
            [SLSHIM, "top", str(server.master.pid)], capture_output=True, text=True, timeout=20
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert pids(done.stdout.splitlines()) == server.pids()
        assert "\x1b" not in done.stdout


def test_recording():
    with LeakyPrefork(shim(**LIMITED)) as server:
        recorder = subprocess.Popen(
            [SLSHIM, "top", "--json", "--delay=0.1", str(server.master.pid)],
            stdout=subprocess.PIPE,
            text=True,
        )
        with recorder:
            first = json.loads(recorder.stdout.readline())
            leave_some(server)
            count = len(server.leavings())
            looks = iter(recorder.stdout.readline, "")
            last = next(
                look for look in map(json.loads, looks) if look["pools"][0]["counts"]["leavings_all"] >= count
            )
            recorder.terminate()
            assert recorder.wait(20) == 0
    assert first["time"] < last["time"]
    assert first["pools"][0]["master"] == last["pools"][0]["master"] == server.master.pid
    assert first["pools"][0]["counts"]["leavings_all"] == 0
    assert last["pools"][0]["counts"]["leavings"]["SL_MAX_UNSHARED"] >= count


def test_no_such_pool():
    with top(os.getpid()) as terminal:
        assert terminal.end() == 1
        assert f"{os.getpid()} is no master or worker of a pool that may be read" in terminal.output.decode()
        assert b"\x1b" not in terminal.output


@pytest.mark.skipif(not as_root(), reason="another user takes root")
def test_pool_that_may_not_be_read():
    with LeakyPrefork(shim(**LIMITED)) as server:
        done = subprocess.run(
            [SLSHIM, "top", str(server.master.pid)],
            user=65534,
            group=65534,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("slshim: ") and done.stderr.count("\n") == 1
