"""What other systems stand on, tried on this one: the library by POSIX and by
src/os/posix/system_linux.c alone, in the tests of servers that have nothing to do with epoll."""

import os
import subprocess
import sys

import pytest

from servers import TOP


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    directory = tmp_path_factory.mktemp("posix")
    jobs = f"-j{os.cpu_count()}"
    for command in (
        [TOP / "configure", "--quiet", "--with-floor=posix", "--enable-werror"],
        ["make", "-s", jobs, "libslshim.la", "examples/leaky_prefork"],
    ):
        subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return directory


@pytest.mark.long
def test_units(build):
    subprocess.run(["make", "-s", "check-units"], cwd=build, check=True)


@pytest.mark.parametrize(
    "file,selected",
    [
        ("recycled/test_httpd.py", "test_mod_perl"),
        ("unknown/test_prefork.py", ""),
        pytest.param("recycled/test_httpd.py", "not default_pace", marks=pytest.mark.long),
        pytest.param("recycled/test_php_fpm.py", "", marks=pytest.mark.long),
        pytest.param("recycled/test_unicorn.py", "", marks=pytest.mark.long),
        pytest.param("recycled/test_starman.py", "", marks=pytest.mark.long),
    ],
)
def test_servers(build, file, selected):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not long and not alone"]
    command += ["-k", selected] if selected else []
    command += [TOP / "tests/end_to_end" / file]
    subprocess.run(command, cwd=TOP, env=os.environ | {"SLSHIM_BUILD": str(build)}, check=True)
