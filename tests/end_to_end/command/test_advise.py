"""slshim advise: which limit a pool should have, told from watching it under load. Each way to grow is
told with the library and without; where not enough was seen there is no number."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from servers import (
    BUILD,
    LeakyPrefork,
    Program,
    Repeated,
    as_root,
    at_once,
    exchange,
    has_signal,
    shim,
    unshared,
    wait_until,
)

COMMAND = str(BUILD / "slshim")
MB = 1 << 20
WATCHED = 20


class Growing(Program):
    """growing_prefork.py"""

    def __init__(self, kind, environment=None, workers=4):
        super().__init__(environment, "", workers=workers, settled=False)
        self.workers_wanted = workers
        self.is_born_large = kind == "born"
        script = Path(__file__).with_name("growing_prefork.py")
        self.command = ["/usr/bin/python3", str(script), kind, str(workers)]


def loaded(server, rate=200):
    """So many connections a second, however slow the machine is meanwhile: growth over time tells of
    the load, too. One that a killed worker had is lost."""
    begin, done = time.monotonic(), 0

    def catch_up():
        nonlocal done
        while done < (time.monotonic() - begin) * rate:
            with contextlib.suppress(ConnectionError):
                exchange(server.port, b"GET / HTTP/1.0\r\n\r\n")
            done += 1

    return Repeated(0.005, catch_up)


def wait_for_workers(server, count=4):
    wait_until(lambda: len(server.workers()) == count, f"{count} workers are there")


def advise(*words, **arguments):
    return subprocess.run(
        [COMMAND, "advise", *map(str, words)], capture_output=True, text=True, timeout=60, **arguments
    )


def advice(server, *words, status=0, seconds=WATCHED, rate=200):
    """What it says as JSON of a server under load, watched from its beginning."""
    with server:
        wait_for_workers(server, server.workers_wanted)
        if server.is_born_large:
            wait_until(
                lambda: all((unshared(worker) or 0) > 32 * MB for worker in server.workers()),
                "the workers have what they are born with",
            )
        with loaded(server, rate):
            done = advise(f"--for={seconds}", "--json", *words, server.master.pid)
        print(done.stdout, done.stderr)
        assert (done.returncode, done.stderr) == (status, "")
        return json.loads(done.stdout)


def with_and_without(kind, status=0, **arguments):
    """The same of two servers at a time, one with the library."""
    both = Growing(kind, shim(SL_MAX_UNSHARED="4G", SL_LOG="off")), Growing(kind)
    told = at_once(*[lambda one=one: advice(one, status=status, **arguments) for one in both])
    assert [one["library"] for one in told] == [True, False]
    assert [one["work"] for one in told] == ["connection", "second"]
    return told


def limit_of(told):
    """That it offers, in MB."""
    setting = re.fullmatch(r"SL_MAX_UNSHARED=(\d+)([KM]) SL_DRY_RUN=1", told["settings"])
    return int(setting[1]) / (1024 if setting[2] == "K" else 1)


def test_leak():
    by_connections, by_time = with_and_without("leak")
    assert {by_connections["kind"], by_time["kind"]} == {"linear leak"}
    slope = by_connections["slope"]
    assert slope["low"] <= slope["value"] <= slope["high"]
    assert slope["value"] == pytest.approx(16 * 1024 + 48, rel=0.03)
    assert by_time["slope"]["value"] == pytest.approx(50 * 16.5 * 1024, rel=0.3)
    for told in (by_connections, by_time):
        assert not told["is_guard"]
        assert limit_of(told) * MB > told["fresh"] * 1.2


def test_plateau():
    """200 pieces of 64 KB."""
    for told in with_and_without("plateau"):
        assert told["kind"] == "plateau"
        assert 12.5 * MB < told["level"] < 25 * MB
        assert told["is_guard"]
        assert limit_of(told) * MB == pytest.approx(told["level"] * 1.25, rel=0.05)


def test_jumps():
    for told in with_and_without("jumps"):
        assert told["kind"] == "jumps"
        assert told["jumps"] >= 3
        assert told["jump"] == pytest.approx(8 * MB, rel=0.1)
        assert limit_of(told) * MB > told["fresh"] + told["jump"] / 2


def test_born_large():
    for told in with_and_without("born"):
        assert told["kind"] == "born large"
        assert told["born"] == pytest.approx(told["level"], rel=0.2)
        assert 32 * MB < told["born"] < 45 * MB
        assert told["is_guard"]


def test_real_leak_in_c():
    """With a worker's memory as an onlooker sees it, and a master that replaces one that is killed."""
    server = LeakyPrefork(shim(SL_MAX_UNSHARED="4G", SL_LOG="off"), workers=6, settled=False)

    def kill_one():
        worker = max(server.workers(), key=unshared)
        worker.kill()

    with server:
        wait_for_workers(server, 6)
        with loaded(server, 400), Repeated(3, kill_one):
            done = advise("--for=20s", "--json", server.master.pid)
    told = json.loads(done.stdout)
    assert told["kind"] == "linear leak"
    assert told["lives_seen"] > 6
    assert told["slope"]["low"] < 66 * 1024 and told["slope"]["high"] > 62 * 1024
    assert told["replaced_after_is_measured"]
    assert 1 <= told["replaced_after"] < 3


# ------------------------------------------------------------------- not enough


def test_idle_pool():
    with Growing("leak") as server:
        wait_for_workers(server)
        done = advise("--for=3s", server.master.pid)
    assert done.returncode == 1
    assert "Growth:      not enough seen; 0 lives count, and 3 are needed." in done.stdout
    assert "SL_MAX_UNSHARED=" not in done.stdout


def test_too_few_lives():
    told = advice(Growing("leak", workers=2), status=1, seconds=4)
    assert (told["kind"], told["lacks"], told["settings"]) == ("not enough seen", "lives", None)
    assert (told["lives"], told["candidates"]) == (2, [])


def test_a_rise_that_slows_down():
    """What will be a plateau, of which only the rise was seen; a busy machine may measure too little
    to know whether it slows down."""
    for told in with_and_without("slow", status=1):
        assert told["kind"] == "not enough seen" and told["lacks"] in ("level", "pace")


@pytest.mark.skipif(not as_root(), reason="to be another user takes root")
def test_what_may_not_be_read():
    with Growing("leak") as server, loaded(server):
        wait_for_workers(server)
        done = advise("--for=2s", server.master.pid, user="nobody")
    assert done.returncode == 1
    assert "not enough seen" in done.stdout
    assert "The memory of 4 workers may not be read." in done.stdout


# -------------------------------------------------------------------------- text


def test_text():
    """It names what it is based on, has a table and the line to set, first for a dry run."""
    with Growing("leak") as server, loaded(server):
        wait_for_workers(server)
        worker = server.workers()[0]
        started = time.monotonic()
        with subprocess.Popen(
            [COMMAND, "advise", "--for", "1h", str(worker.pid)], stdout=subprocess.PIPE, text=True
        ) as watching:
            wait_until(lambda: time.monotonic() - started > 10, "it has watched for a while")
            watching.send_signal(signal.SIGINT)
            text = watching.stdout.read()
        print(text)
    assert watching.returncode == 0
    assert f"Pool:        python3, master {server.master.pid}, 4 workers\n" in text
    assert re.search(r"^Watched:     for [\d.]+ s\. Of 4 lives 4 count", text, re.MULTILINE)
    assert "Without the library connections are not known" in text
    assert re.search(r"^Growth:      linear leak; workers grow by \S+ GB an hour", text, re.MULTILINE)
    assert re.search(r"^LIMIT +ALL TOGETHER +FITS +LIFE", text, re.MULTILINE)
    assert text.count("<- this one") == 1
    assert re.search(r"^Set first:   SL_MAX_UNSHARED=\d+[KM] SL_DRY_RUN=1$", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 80


def test_limits_of_the_machine():
    """Where nothing fits it says so, and names no limit."""
    with Growing("born") as server:
        wait_for_workers(server)
        with loaded(server):
            done = advise("--for=10s", "--json", "--headroom=90%", server.master.pid)
    print(done.stdout)
    told = json.loads(done.stdout)
    assert told["kind"] in ("born large", "plateau")
    assert told["headroom"] == 90
    if told["allowed_by"] == "/proc/meminfo":
        assert told["allowed"] == pytest.approx(psutil.virtual_memory().total * 0.1, rel=0.01)
    for candidate in told["candidates"]:
        assert candidate["fits"] == (candidate["together"] <= told["allowed"])
    if any(candidate["fits"] for candidate in told["candidates"]):
        assert told["settings"] and done.returncode == 0
    else:
        assert told["settings"] is None and done.returncode == 1
        assert told["workers_that_fit"] < 4


def test_dry_run():
    """The rehearsal that it proposes, against its own prediction."""
    server = Growing("leak", shim(SL_MAX_UNSHARED="12M", SL_DRY_RUN=1))
    told = advice(server)
    would_leave = {leaving.pid for leaving in server.leavings()}
    assert told["dry_run"]["limit"] == 12 * MB
    assert told["dry_run"]["would_have_left"] == len(would_leave) == 4
    assert told["dry_run"]["predicted"]["value"] == 4
    assert told["dry_run"]["as_predicted"] is True


# ------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "one pid"),
        (["1", "2"], "one pid"),
        (["x"], '"x" is no pid'),
        (["0"], '"0" is no pid'),
        (["--for=0", "1"], "--for=0 is refused; accepted: a number of seconds"),
        (["--for=soon", "1"], "--for=soon is refused"),
        (["--headroom=91", "1"], "--headroom=91 is refused; accepted: 0% to 90%"),
        (["--headroom=-1", "1"], "--headroom=-1 is refused"),
        (["--for"], "--for wants a value"),
        (["--fast", "1"], "--fast is no option"),
        (["2147483647"], "there is no process 2147483647"),
    ],
)
def test_refused(words, said):
    done = advise(*words)
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr.startswith("slshim: ") and done.stderr.count("\n") == 1
    assert said in done.stderr


def test_no_pool():
    with subprocess.Popen(["sleep", "60"]) as alone:
        done = advise("--for=1s", alone.pid)
        alone.kill()
    assert done.returncode == 125
    assert done.stderr == (
        f"slshim: {alone.pid} has no pool: no children, and no parent that runs the same program; "
        "accepted: a master or a worker\n"
    )


def has_begun(watching):
    """It waits for the signals that end it: it has blocked them, after its first look."""
    return has_signal(watching.pid, "SigBlk", signal.SIGINT)


def test_pool_that_ends():
    """What was seen until then is told."""
    with Growing("leak") as server:
        wait_for_workers(server)
        with subprocess.Popen(
            [COMMAND, "advise", "--for", "1h", str(server.master.pid)], stdout=subprocess.PIPE, text=True
        ) as watching:
            wait_until(lambda: has_begun(watching), "it has begun to watch")
            os.kill(server.master.pid, signal.SIGKILL)
            text = watching.stdout.read()
    assert "when the pool ended" in text
    assert watching.returncode == 1
