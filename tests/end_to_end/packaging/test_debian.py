"""Debian's packages: built from a release, examined by Debian's own tools, installed and used.

Without another load, on two cores: the build takes a minute, as does what is marked long."""

import re
import shutil

import pytest
from debian import Debian
from factory import DEBIAN, HOME, RELEASE, Factory, field, names, needs, version
from servers import TOP


@pytest.fixture(scope="module")
def factory(packages):
    """One in which the packages, and what they were built from, lie in the builder's home."""
    with Factory() as factory:
        factory.give(*packages.iterdir())
        yield factory


def test_versions_agree():
    """What is released, Debian's package and the RPM are of the same version."""
    of_debian = re.match(r"slshim \((.*)-\d+\)", (DEBIAN / "changelog").read_text())[1]
    of_rpm = fields(TOP / "packaging" / "rpm" / "slshim.spec", "Version")[0]
    assert of_debian == of_rpm == version()


def test_lintian(factory):
    """It finds neither errors nor warnings in the source, or in the packages."""
    factory.run_as_builder("lintian --fail-on error,warning slshim_*_source.changes slshim_*.changes")


def test_hardening(factory):
    """Each compiler's line in the log of the build has Debian's flags."""
    factory.run_as_builder("blhc --bindnow build.log")
