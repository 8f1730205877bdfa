"""A 32-bit server with 64-bit times calls other functions than the headers say: they are followed
as well."""

import errno
import os
import platform
import re
import shutil
import subprocess

import pytest

from servers import TOP, HandWritten, Missing, shim
from unnamed import PACE, expect_recycled

CONFIGURE = ["CC=gcc -m32", "--host=i686-linux-gnu", "--quiet"]
SERVER = "tests/hand_written/hand_written"
TARGETS = ["libslshim.la", SERVER]
EMULATOR = "qemu-i386-static"
TIMES = "CPPFLAGS=-D_TIME_BITS=64 -D_FILE_OFFSET_BITS=64"

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="runs on x86-64 only")


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    directory = tmp_path_factory.mktemp("32-bit")
    empty = subprocess.run(["gcc", "-m32", "-xc", "-", "-o", "/dev/null"], input=b"int main(){}")
    if empty.returncode != 0:
        raise Missing("gcc -m32 does not work: gcc-multilib is not installed")
    for command in [TOP / "configure", *CONFIGURE], ["make", "-s", f"-j{os.cpu_count()}", TIMES, *TARGETS]:
        subprocess.run(command, cwd=directory, check=True)
    return directory


@pytest.fixture(scope="module")
def under(build):
    """What the server runs under: nothing, or an emulator where the kernel refuses 32-bit programs,
    as one that was started with ia32_emulation=0 does."""
    try:
        subprocess.run([build / SERVER, "-h"], capture_output=True)
        return []
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    if not shutil.which(EMULATOR):
        raise Missing(f"the kernel runs no 32-bit programs, and {EMULATOR} is not installed")
    return [EMULATOR]


class HandWritten32(HandWritten):
    def __init__(self, build, under, environment, **parts):
        super().__init__(environment | {"LD_PRELOAD": str(build / ".libs" / "libslshim.so")}, **parts)
        self.command[:1] = [*under, str(build / SERVER)]


@pytest.mark.parametrize(
    ("parts", "way"),
    [
        ({"wait": "ppoll"}, "_exit@idle"),
        ({"wait": "select"}, "_exit@idle"),
        ({"wait": "pselect"}, "_exit@idle"),
        ({"wait": "epoll_pwait2"}, "_exit@idle"),
        ({"lock": "sysv"}, "_exit@close"),
        ({"lock": "eventfd"}, "_exit@close"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else value,
)
def test_is_recycled(build, under, parts, way):
    """The emulator has a thread of its own in each worker: that keeps them from leaving at a close,
    and at a wait where the user did not say that the threads may be disregarded."""
    environment = shim(SL_MAX_CONNECTIONS=5, **PACE)
    if under:
        environment["SL_LEAVE"] = way
        if way.endswith("@close"):
            pytest.skip("the kernel runs no 32-bit programs, and the emulator's thread is in the way")
    left = expect_recycled(HandWritten32(build, under, environment, **parts), way)
    measured = r"; size \d+ .* unshared \d+ .* swapped \d+ KB"
    assert all(re.search(measured, leaving.text) for leaving in left)
