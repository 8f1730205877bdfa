"""slshim measure: the memory of running processes and what a pool has together, held against what
others read of the same processes."""

import json
import os
import signal
import subprocess

import psutil
import pytest

from servers import BUILD, LeakyPrefork, Missing, ab, as_root, shim, tool, wait_until

COMMAND = BUILD / "slshim"
OTHER_USER = {"user": 65534, "group": 65534, "extra_groups": []}


def measure(*words, **arguments):
    return subprocess.run(
        [str(COMMAND), "measure", *map(str, words)], capture_output=True, text=True, timeout=20, **arguments
    )


def rows(*words, **arguments):
    done = measure("--json", *words, **arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)["processes"]


def summed(pid, *keys):
    """KB of these lines of smaps, as the kernel writes them for each mapping; not the rollup."""
    sums = dict.fromkeys(keys, 0)
    with open(f"/proc/{pid}/smaps") as lines:
        for line in lines:
            key, _, rest = line.partition(":")
            if key in sums:
                sums[key] += int(rest.split()[0])
    return [sums[key] for key in keys]


@pytest.fixture(params=["with the library", "without"])
def server(request):
    """One that has grown and then rests."""
    environment = shim(SL_MAX_UNSHARED="1G") if request.param == "with the library" else {}
    with LeakyPrefork(environment, workers=4, preloaded_mb=48, leaked_kb=256) as server:
        ab(server.url(), 200, clients=4).expect_good()
        yield server


def is_near(ours, theirs, slack=64 << 10):
    """A worker that rests does not change but for what the look itself may cause."""
    return abs(ours - theirs) <= slack


def test_figures_are_those_of_psutil(server):
    found = {row["pid"]: row for row in rows(server.master.pid) if row["role"] != "pool"}
    assert set(found) == server.pids() | {server.master.pid}
    for pid, row in found.items():
        process = psutil.Process(pid)
        theirs = process.memory_full_info()
        assert row["program"] == process.name()
        assert row["role"] == ("master" if pid == server.master.pid else "worker")
        assert row["size"] == theirs.vms
        assert is_near(row["resident"], theirs.rss)
        assert is_near(row["unshared"], theirs.uss)
        assert is_near(row["proportional"], theirs.pss)
        assert row["swapped"] == summed(pid, "Swap")[0] * 1024
        shared = sum(summed(pid, "Shared_Clean", "Shared_Dirty")) * 1024
        assert is_near(row["shared"], shared)
        assert row["source"] == "statm status smaps_rollup" and row["unreadable"] is None
    assert max(row["unshared"] for row in found.values()) > 4 << 20


def pages_of(pid):
    """The frames of all pages that a process has in memory."""
    frames, page = set(), os.sysconf("SC_PAGESIZE")
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            begin, end = (int(word, 16) for word in line.split()[0].split("-"))
            if begin >= 1 << 63:
                continue
            pagemap.seek(begin // page * 8)
            entries = pagemap.read((end - begin) // page * 8)
            for at in range(0, len(entries), 8):
                entry = int.from_bytes(entries[at : at + 8], "little")
                if entry >> 63 & 1:
                    frames.add(entry & (1 << 55) - 1)
    return frames


@pytest.mark.skipif(not as_root(), reason="the numbers of frames are told to root alone")
def test_sum_of_a_pool_is_what_there_is(server):
    """Every frame counts once. Of libraries that other processes use, too, the sum has the pool's
    share only, so it is below all that the pool maps, but not by much."""
    found = rows(server.master.pid)
    pool = found[-1]
    members = found[:-1]
    assert pool["role"] == "pool" and pool["pid"] == server.master.pid
    frames = set().union(*(pages_of(row["pid"]) for row in members)) - {0}
    everything = len(frames) * os.sysconf("SC_PAGESIZE")
    assert everything - (4 << 20) <= pool["proportional"] <= everything
    assert pool["proportional"] > 48 << 20  # what the master has preloaded
    assert pool["proportional"] == pytest.approx(sum(row["proportional"] for row in members), abs=4096)
    assert pool["unshared"] == sum(row["unshared"] for row in members)
    assert pool["shared"] == pool["proportional"] - pool["unshared"]
    assert sum(row["resident"] for row in members) > 2 * pool["proportional"]
    assert pool["size"] is None and pool["resident"] is None


def test_table(server):
    """In KB, for people, with the same figures."""
    done = measure(server.master.pid)
    assert (done.returncode, done.stderr) == (0, "")
    head, *lines = done.stdout.splitlines()
    assert head.split()[:9] == [
        *["PID", "PROGRAM", "ROLE", "SIZE", "RESIDENT", "SHARED", "UNSHARED", "PROPORTIONAL", "SWAPPED"]
    ]
    assert len(lines) == 6
    sizes = {row["pid"]: row["size"] for row in rows(server.master.pid) if row["role"] != "pool"}
    for line in lines[:-1]:
        words = line.split()
        assert int(words[3]) == sizes[int(words[0])] // 1024
    assert "pool" in lines[-1] and "sums; shared pages once" in lines[-1]


@pytest.mark.skipif(not as_root(), reason="another user's process takes root")
def test_what_may_not_be_read(server):
    """Of another user's process the rest is known, and what is not is no zero."""
    done = measure(server.master.pid, **OTHER_USER)
    assert done.returncode == 0 and "smaps_rollup: Permission denied" in done.stdout
    found = rows(server.master.pid, **OTHER_USER)
    for row in found[:-1]:
        assert row["size"] > 0 and row["resident"] > 0 and row["swapped"] == 0
        assert row["unshared"] is row["proportional"] is row["shared"] is None
        assert row["source"] == "statm status"
        assert row["unreadable"] == "smaps_rollup: Permission denied"
    assert found[-1]["unreadable"] == "5 of 5 processes"
    assert found[-1]["proportional"] is found[-1]["unshared"] is found[-1]["source"] is None


@pytest.mark.skipif(not as_root(), reason="another user's process takes root")
def test_pool_of_which_some_may_be_read():
    """No sum of those that may be. Both run without the capabilities that let root read the memory of
    others."""
    less = [tool("setpriv"), "--bounding-set=-sys_ptrace,-perfmon,-sys_admin"]
    script = "import os, signal\nif os.fork() == 0:\n    os.setuid(65534)\nsignal.pause()"
    with subprocess.Popen([*less, tool("python3"), "-c", script], start_new_session=True) as process:
        try:
            wait_until(
                lambda: any(child.uids().real == 65534 for child in psutil.Process(process.pid).children()),
                "its child is another user's",
            )
            done = subprocess.run(
                [*less, COMMAND, "measure", "--json", str(process.pid)],
                capture_output=True,
                text=True,
                timeout=20,
            )
            master, worker, pool = json.loads(done.stdout)["processes"]
            assert master["unshared"] > 0 and worker["unshared"] is None
            assert "smaps_rollup: " in worker["unreadable"]
            assert pool["unshared"] is None and pool["unreadable"] == "1 of 2 processes"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_process_without_children():
    with subprocess.Popen([tool("sleep"), "60"]) as process:
        (row,) = rows(process.pid)
        process.kill()
    assert row["role"] == "process" and row["program"] == "sleep"


def test_zombie():
    """It has no memory, which is not an amount of 0."""
    with subprocess.Popen([tool("true")]) as process:
        wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE, "it has ended")
        (row,) = rows(process.pid)
    assert row["size"] is row["swapped"] is row["unshared"] is None
    assert row["unreadable"] == "it has no memory of its own"


def test_pool_with_a_zombie():
    """What the others have together is known."""
    script = "import os, time\nif os.fork() == 0:\n    os._exit(0)\nprint(flush=True)\ntime.sleep(60)"
    with subprocess.Popen([tool("python3"), "-c", script], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        (child,) = psutil.Process(process.pid).children()
        wait_until(lambda: child.status() == psutil.STATUS_ZOMBIE, "its child has ended")
        master, worker, pool = rows(process.pid)
        process.kill()
    assert worker["pid"] == child.pid and worker["unshared"] is None
    assert is_near(pool["unshared"], master["unshared"], 0) and pool["unreadable"] is None


def test_name_with_control_characters(tmp_path):
    """A process may name itself anything."""
    name = "a) S 1 \x1b[1m"
    script = f"import ctypes, time\nctypes.CDLL(None).prctl(15, {name.encode()!r})\nprint(flush=True)\ntime.sleep(60)"
    with subprocess.Popen([tool("python3"), "-c", script], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        (row,) = rows(process.pid)
        done = measure(process.pid)
        process.kill()
    assert row["program"] == name.replace("\x1b", "?") and "\x1b" not in done.stdout


def test_several(server):
    """Each in turn; one that is gone is named, and the others are shown."""
    done = measure("--json", os.getpid(), 2**22 + 1, server.master.pid)
    assert done.returncode == 1
    assert done.stderr == "slshim: there is no process 4194305, or it is hidden from this user\n"
    pids = [row["pid"] for row in json.loads(done.stdout)["processes"]]
    assert pids[0] == os.getpid() and server.master.pid in pids


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "there is no pid; accepted: "),
        (["x"], '"x" is no pid; accepted: a number'),
        (["1", "0"], '"0" is no pid'),
        (["-1"], "-1 is no option; accepted: --json"),
        (["99999999999999999999"], "is no pid"),
        (["--jso", "--xml"], "--xml is no option"),
    ],
)
def test_refused(words, said):
    done = measure(*words)
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr.startswith("slshim: ") and done.stderr.count("\n") == 1 and said in done.stderr


def test_hidden_processes():
    """With hidepid another user's process is as if it were not there."""
    if not as_root():
        raise Missing("a mount takes root")
    script = (
        "mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 "
        f"--clear-groups {COMMAND} measure 1"
    )
    done = subprocess.run(
        [tool("unshare"), "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", f"({script})\nexit $?"],
        capture_output=True,
        text=True,
        timeout=20,
    )
    if "mount" in done.stderr:
        raise Missing("/proc cannot be mounted here")
    assert done.returncode == 1 and "hidden from this user" in done.stderr
