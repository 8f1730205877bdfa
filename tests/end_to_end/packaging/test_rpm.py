"""The RPMs: built from a release by Debian's rpmbuild, examined by rpmlint, installed beside Debian."""

import re

import pytest
from factory import HOME, Factory
from servers import TOP

pytestmark = pytest.mark.long

# Which files each has, without those that rpmbuild adds.
LIBRARY = {"libslshim.so", "libslshim.so.0", "libslshim.so.0.0.0"}
HEADER = {"slshim.h", "slshim.pc"}

# Without a distribution's configuration rpmlint expects what Fedora does not, and knows none of the
# names that it gives to licenses. Debian's rpmbuild neither signs nor strips, and gcc makes no
# old hash section there. The project has no address yet.
NOT_FEDORAS = """
Filters = [
    "no-signature", "no-packager-tag", "no-group-tag", "no-buildroot-tag", "no-binary", "no-url-tag",
    "invalid-license", "invalid-url Source0", "lib-package-without-%mklibname",
    "library-without-ldconfig-post(in|un)", "manpage-not-compressed bz2", "missing-hash-section",
    "requires-on-release", "outside-libdir-files /usr/share/licenses/",
    "non-versioned-file-in-library-package /usr/lib/.build-id", "unstripped-binary-or-object",
    "strange-permission slshim.spec",
]
"""


@pytest.fixture(scope="module")
def factory(packages):
    """In which the RPMs were built. It has no database of RPMs, so nothing is known of what they need;
    the unit tests have run when Debian's packages were built."""
    with Factory() as factory:
        factory.give(next(packages.glob("slshim-*.tar.xz")))
        factory.build("rpmbuild -ta --nodeps --nocheck slshim-*.tar.xz")
        yield factory


def files(factory, name):
    """Of a package, their names."""
    listed = factory.build(f"rpm --query --list --package rpmbuild/RPMS/*/{name}-[0-9]*.rpm")
    return {re.sub(r".*/", "", line) for line in listed.splitlines()}


def test_each_has_its_files(factory):
    command, library, header = (files(factory, name) for name in ("slshim", "slshim-libs", "slshim-devel"))
    assert library > LIBRARY and header >= HEADER
    assert command > {"slshim", "slshim.1.gz", "slshim.7.gz", "_slshim", "slshim.fish"}
    assert not command & (LIBRARY | HEADER) and not library & HEADER and not header & LIBRARY


def test_rpmlint(factory):
    """It has no error and no warning."""
    factory.give(TOP / "packaging" / "rpm" / "slshim.rpmlintrc")
    (factory.home / "rpmlint.toml").write_text(NOT_FEDORAS)
    files = "rpmbuild/SRPMS/*.rpm rpmbuild/RPMS/*/*.rpm"
    said = factory.build(f"rpmlint --config rpmlint.toml --rpmlintrc slshim.rpmlintrc {files}")
    assert " 0 errors, 0 warnings, " in said, said


def test_installed(factory):
    factory.run(f"rpm --install --nodeps --root /rpm {HOME}/rpmbuild/RPMS/*/slshim-*.rpm")
    library = "/rpm/usr/lib64/libslshim.so.0"
    mapped = factory.run(f"LD_PRELOAD={library} cat /proc/self/maps")
    assert "libslshim.so.0.0.0" in mapped
    assert factory.run("/rpm/usr/bin/slshim --help").startswith("usage: ")
