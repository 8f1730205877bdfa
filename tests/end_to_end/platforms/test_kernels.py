"""Other kernels than this machine's: one with pages of 64 KB, and one that is older than what the
library makes use of where it is there. The end-to-end tests of httpd run in each, with that
architecture's own httpd."""

import shutil
from dataclasses import dataclass

import pytest

from emulated import Architecture, Build, tree_of
from guest import BASE, Machine, run
from servers import TOP

# A tree is made with a network.
pytestmark = [pytest.mark.alone, pytest.mark.long]
TOOLS = ["apache2-utils", "libapache2-mod-perl2", "netbase", "procps", "python3", "python3-psutil"]
TOOLS += ["python3-pytest"]
# What is needed of the checkout beside the build.
CHECKOUT = ["tests", "demo", "examples"]
TESTS = "growth_of_a_large_master or daemon or single_process"


@dataclass(frozen=True)
class Cell:
    machine: Machine
    architecture: Architecture
    says: str  # where the guest tells of its kernel and its pages


CELLS = {
    "pages of 64 KB": Cell(
        Machine(
            "bookworm", "ppc64el", "linux-image-powerpc64le", ("qemu-system-ppc64", "-M", "pseries"), "hvc0"
        ),
        Architecture("ppc64el", "powerpc64le-linux-gnu", "ppc64le"),
        "pages of 65536",
    ),
    "5.10": Cell(
        Machine("bullseye", "amd64", "linux-image-cloud-amd64", ("qemu-system-x86_64", "-cpu", "max"), "ttyS0"),
        Architecture("amd64", "x86_64-linux-gnu", "x86_64"),
        "kernel 5.10.",
    ),
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_httpd(tmp_path, cell):
    """In memory, so all that is needed is copied there."""
    tree = tree_of(cell.architecture, *BASE, *TOOLS)
    (tmp_path / "build").mkdir()
    build = Build(cell.architecture, tmp_path / "build", tree)
    added, top = tmp_path / "added", tmp_path / "added/srv/slshim"
    for part in CHECKOUT:
        shutil.copytree(TOP / part, top / part)
    library = added / "srv/build/.libs"
    library.mkdir(parents=True)
    shutil.copy(build.library, library / "libslshim.so")
    said, status = run(
        cell.machine,
        tree,
        tmp_path,
        added,
        "echo kernel $(uname -r), pages of $(python3 -c 'import os; print(os.sysconf(\"SC_PAGESIZE\"))')\n"
        "cd /srv/slshim && SLSHIM_BUILD=/srv/build python3 -m pytest -q -p no:cacheprovider "
        f"tests/end_to_end/recycled/test_httpd.py -k '{TESTS}'",
    )
    print(said)
    assert cell.says in said
    assert status == 0 and " passed" in said and " failed" not in said
