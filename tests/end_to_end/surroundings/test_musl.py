"""A server that is linked with musl, and a library that is."""

import os
import subprocess
from pathlib import Path

import pytest

from servers import TOP, LeakyPrefork, load_until_left, shim, tool

TARGETS = ["libslshim.la", "examples/leaky_prefork"]


def kernel_headers(directory):
    """Those alone: musl's compiler has none, and beside them are glibc's."""
    multiarch = subprocess.run(
        [tool("gcc"), "-print-multiarch"], capture_output=True, text=True, check=True
    ).stdout.strip()
    directory.mkdir()
    for place in ("linux", "asm-generic", f"{multiarch}/asm"):
        (directory / Path(place).name).symlink_to(f"/usr/include/{place}")
    return directory


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    directory = tmp_path_factory.mktemp("musl")
    headers = kernel_headers(directory / "kernel")
    configure = [TOP / "configure", f"CC={tool('musl-gcc')}", f"CPPFLAGS=-isystem {headers}", "--quiet"]
    for command in configure, ["make", "-s", f"-j{os.cpu_count()}", *TARGETS]:
        subprocess.run(command, cwd=directory, check=True)
    return directory


def test_is_recycled(build):
    library = build / ".libs" / "libslshim.so"
    server = LeakyPrefork(shim(SL_MAX_UNSHARED="3M") | {"LD_PRELOAD": str(library)})
    server.command[0] = str(build / "examples" / "leaky_prefork")
    with server:
        mapped = Path(f"/proc/{server.master.pid}/maps").read_text()
        assert str(library.resolve()) in mapped and "musl" in mapped and "libc.so.6" not in mapped
        load_until_left(server, 10)
        left = server.leavings()
    assert all("SL_MAX_UNSHARED" in one.limits for one in left)
