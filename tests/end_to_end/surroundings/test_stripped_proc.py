"""A /proc that lacks what older kernels and some containers lack: no rollup of smaps, statm alone, or
nothing at all."""

import pytest

from servers import LeakyPrefork, as_root, get, load_until_left, rounds_of, shim, tool

PACE = {"SL_LEAVE": "QUIT@close", "SL_REPLACE_TIMEOUT": "2s", "SL_MAX_LEAVING": "4"}
ROLLUP, SMAPS, STATUS = ("/proc/self/smaps_rollup", "/proc/self/smaps", "/proc/self/status")
NOTHING = 'mount -t tmpfs none /proc && exec "$0" "$@"'


def without(paths, trace):
    """Opening one of these fails, as if the kernel did not have it."""
    chosen = [word for path in paths for word in ("-P", path)]
    return [tool("strace"), "-f", "-qq", "-o", trace, *chosen, "-e", "inject=openat,open:error=ENOENT"]


def run_under(server, command):
    server.command = [*map(str, command), *server.command]
    return server


def without_proc(server):
    if not as_root():
        pytest.skip("to hide /proc takes root")
    return run_under(server, [tool("unshare"), "--mount", "sh", "-c", NOTHING])


def load_some(server):
    return rounds_of(400)(server).expect_good()


def test_no_rollup(tmp_path):
    server = LeakyPrefork(shim(SL_MAX_UNSHARED="2M", **PACE))
    with run_under(server, without([ROLLUP], tmp_path / "trace")):
        load_until_left(server, 5, rounds_of(200))
        assert all("SL_MAX_UNSHARED" in one.limits for one in server.leavings())
    assert f'"{ROLLUP}"' in (tmp_path / "trace").read_text()


def test_statm_alone(tmp_path):
    """Shared and unshared memory are unknown: a limit on these never fires, which is said once; one on
    resident memory does."""
    server = LeakyPrefork(shim(SL_MAX_UNSHARED="2M", SL_MIN_SHARED="1T", SL_MAX_SWAP="1K", **PACE))
    with run_under(server, without([ROLLUP, SMAPS, STATUS], tmp_path / "trace")):
        for _ in range(3):
            load_some(server)
        assert server.leavings() == []
        for name in ("SL_MAX_UNSHARED", "SL_MIN_SHARED", "SL_MAX_SWAP"):
            assert server.log().count(f"{name} has no effect: ") == 1
    server = LeakyPrefork(shim(SL_MAX_RSS="68M", SL_MAX_UNSHARED="1G", **PACE))
    with run_under(server, without([ROLLUP, SMAPS, STATUS], tmp_path / "trace")):
        load_until_left(server, 5, rounds_of(200))
        assert all(list(one.limits) == ["SL_MAX_RSS"] for one in server.leavings())


def test_no_proc():
    """Memory is unknown, and what is counted is not; how many threads there are is, so nobody leaves at
    a close."""
    with without_proc(LeakyPrefork(shim(SL_MAX_UNSHARED="2M", SL_MAX_RSS="1M", **PACE))) as server:
        for _ in range(3):
            load_some(server)
        assert server.leavings() == []
        assert server.log().count(" has no effect: ") == 2
    environment = shim(SL_MAX_CONNECTIONS=20, **PACE | {"SL_LEAVE": "QUIT@accept"})
    with without_proc(LeakyPrefork(environment)) as server:
        load_until_left(server, 5, rounds_of(200))
        assert all(list(one.limits) == ["SL_MAX_CONNECTIONS"] for one in server.leavings())
        assert get(server.url()) == "ok\n"
