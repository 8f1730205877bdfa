"""Debian's packages: built from a release, examined with Debian's own tools, installed and used."""

import re
import shutil
import subprocess

import pytest
from debian import tree
from factory import DEBIAN, HOME, RELEASE, Factory, fields, of_clean, site, version
from servers import TOP

pytestmark = pytest.mark.long

# The project has no address yet, and no number of a bug in which Debian is told of it.
NOT_YET = ["bogus-mail-host", "bogus-mail-host-in-debian-changelog", "initial-upload-closes-no-bugs"]

# As other builds as reprotest brings about without rights and a second user.
VARIED = ["aslr", "build_path", "environment", "exec_path", "home", "locales", "num_cpus", "time"]
VARIED += ["timezone", "umask"]

ASKING = """
#include <slshim.h>
#include <stdio.h>

int main(void)
{
    puts(slshim_check ? "preloaded" : "not preloaded");
    return 0;
}
"""


@pytest.fixture(scope="module")
def factory(packages):
    """With the release, and what was built of it, at the builder's home."""
    with Factory() as factory:
        factory.give(*packages.iterdir())
        yield factory


def test_versions_agree():
    """A release, Debian's package of it and the RPM have one version."""
    of_debian = re.match(r"slshim \((.*)-\d+\)", (DEBIAN / "changelog").read_text())[1]
    of_rpm = fields(TOP / "packaging" / "rpm" / "slshim.spec", "Version")[0]
    assert of_debian == of_rpm == version()


def test_lintian(factory):
    """It has no error and no warning, for the source and for the packages."""
    suppressed = ",".join(NOT_YET)
    found = factory.build(
        f"lintian --fail-on error,warning --suppress-tags {suppressed} --show-overrides slshim_*.changes"
    )
    assert "O: libslshim0: link-to-shared-library-in-wrong-package" in found


def test_hardening(factory):
    """Each line of the compiler's in the log of the build has Debian's flags."""
    factory.build("blhc --bindnow build.log")


def test_piuparts(factory):
    """Packages leave nothing behind when they are removed."""
    place = factory.root / "clean"
    subprocess.run(["cp", "-a", "--one-file-system", tree(RELEASE, *of_clean()), place], check=True)
    (place / "etc" / "apt" / "sources.list").write_text("")
    options = "--existing-chroot=/clean --keep-sources-list --no-eatmydata --skip-minimize"
    said = factory.run(f"piuparts {options} {HOME}/slshim_*.changes")
    assert "PASS: Installation and purging test." in said


def test_header(factory):
    """A program that was made with the development package finds the library when it is preloaded, by
    each of its names."""
    factory.run(f"dpkg --install {HOME}/*.deb")
    (factory.home / "asking.c").write_text(ASKING)
    factory.build("cc $(pkg-config --cflags --libs slshim) -o asking asking.c")
    assert factory.run(f"{HOME}/asking") == "not preloaded\n"
    for name in ("libslshim.so.0", "libslshim.so"):
        assert factory.run(f"LD_PRELOAD={name} {HOME}/asking") == "preloaded\n"


def test_reproducible(factory):
    """Builds in other folders, at other times, with another umask, locale and time zone are the same."""
    factory.run("localedef -i et_EE -f UTF-8 et_EE.UTF-8")
    variations = ",".join(f"+{one}" for one in VARIED)
    said = factory.build(
        "mkdir source && cp build-deb slshim-*.tar.xz source && reprotest --no-diffoscope --min-cpus 1"
        f" --variations=-all,{variations}"
        " -c 'DEB_BUILD_OPTIONS=nocheck ./build-deb slshim-*.tar.xz' source '*.deb' -- null"
    )
    assert "Reproduction successful" in said


@pytest.mark.parametrize("name", fields(DEBIAN / "tests" / "control", "Tests"))
def test_autopkgtest(packages, name):
    """The packages' own tests, each in a machine of its own."""
    with site() as machine:
        machine.write("/etc/apt/sources.list", "")
        shutil.copytree(packages, machine.root / "root" / "packages")
        machine.run(
            "cd /root/packages && autopkgtest --no-built-binaries"
            f" --ignore-restrictions=isolation-container --test-name={name}"
            " libslshim0_*.deb slshim_*.deb slshim_*.dsc -- null"
        )
