"""Other architectures than this machine's: the unit tests, and servers whose workers are recycled by
what they have grown to."""

import re

import pytest

from emulated import ARCHITECTURES, Build, EmulatedHttpd, hand_written, leaky_prefork
from marks import long
from servers import ab, get, load_until_left, shim, unshared
from unnamed import PACE, expect_recycled

# Their trees are made with a network. The big-endian one says most.
pytestmark = pytest.mark.alone
EACH = [
    pytest.param(one, id=str(one), marks=[] if one.name == "s390x" else pytest.mark.long)
    for one in ARCHITECTURES
]
KB = 1024
# A user says so, because the emulator's thread looks like one that may be at work.
AT_IDLE = {"SL_LEAVE": "_exit@idle"}


@pytest.fixture(scope="module", params=EACH)
def build(request, tmp_path_factory):
    return Build(request.param, tmp_path_factory.mktemp(str(request.param)))


@pytest.mark.parametrize("wait", ["select", *long("accept", "poll", "epoll_wait")])
def test_is_recycled(build, wait):
    left = expect_recycled(
        hand_written(build, shim(SL_MAX_CONNECTIONS=5, **PACE, **AT_IDLE), wait=wait), "_exit@idle"
    )
    measured = r"; size \d+ .* unshared \d+ .* swapped \d+ KB"
    assert all(re.search(measured, leaving.text) for leaving in left)


def test_limit_is_held(build):
    """On unshared memory, which grows by what each connection leaks. Beside that is the emulator's
    own, among it the translation of a worker's program, and of the library's up to some MB."""
    with leaky_prefork(build, {}, leaked_kb=0) as server:
        ab(server.url(), 1000).expect_good()
        own = max(unshared(worker) for worker in server.workers()) // KB
    limit, leak, translated = own + 4096, 256, 2048
    environment = shim(SL_MAX_UNSHARED=f"{limit}K", **PACE, **AT_IDLE)
    with leaky_prefork(build, environment, leaked_kb=leak) as server:
        load_until_left(server, 10, seconds=60)
        left = server.leavings()
        assert get(server.url()) == "ok\n"
        assert server.stop() == 0
    for leaving in left:
        size, threshold = leaving.limits["SL_MAX_UNSHARED"]
        print(f"own {own} KB, limit {limit} KB, left at {size} KB after {leaving.connections} connections")
        assert threshold == limit < size
        assert 0 < size - leak * leaving.connections < own + translated


def test_httpd(build):
    with EmulatedHttpd(build, shim(SL_MAX_CONNECTIONS=20), workers_at_start=4) as server:
        load_until_left(server, 8, lambda server: ab(server.url(), 500), seconds=60)
        assert get(server.url()) == "ok\n"
        assert server.stop() == 0


# What the emulator does not do as the kernel does: it has a thread of its own in each process, it
# ignores MADV_FREE, and a new terminal's other end cannot be opened; and what measures the process
# to the page finds the emulator's own memory.
NOT_EMULATED = {
    "check_chroot": ".*",
    "check_idle": ".*",
    "check_leave": "finds_what_is_in_the_way",
    "check_log": "drops_what_a_|survives_a_pipe|is_not_stopped|follows_a_log",
    "check_meter": ".*",
    "check_probe": "lazily_freed",
    "check_process": "counts_threads|reads_no_more",
}


@pytest.mark.long
def test_units(build):
    """The unit tests, but for those that look at what the emulator shows differently."""
    build.make("-k", "check-units", f"LOG_COMPILER={' '.join(build.under)}", check=False)
    logs = list((build.directory / "tests").glob("check_*.log"))
    assert len(logs) > 25
    checks = 0
    for log in logs:
        text = log.read_text()
        checks += int(re.search(r"Checks: (\d+)", text)[1])
        for failed in re.findall(r":[FE]:\w+:(\w+):", text):
            assert re.match(NOT_EMULATED.get(log.stem, "none"), failed), f"{log.stem}: {failed}, see {log}"
    print(f"{checks} checks of {len(logs)} programs")
