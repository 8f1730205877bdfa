"""The packages are built once, from a release, for all tests of a run."""

import os

import pytest
from factory import Factory, make_release
from servers import TOP


@pytest.fixture(scope="session")
def release(tmp_path_factory):
    return make_release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def packages(release, tmp_path_factory):
    """The folder with what build-deb made of the release, and with the log of that."""
    folder = tmp_path_factory.mktemp("packages")
    with Factory() as factory:
        factory.give(release, TOP / "packaging" / "build-deb")
        factory.run_as_builder(
            f"DEB_BUILD_OPTIONS=parallel={os.cpu_count()} ./build-deb slshim-*.tar.xz", log="build.log"
        )
        for file in factory.home.glob("*"):
            if file.is_file():
                (folder / file.name).write_bytes(file.read_bytes())
    return folder
