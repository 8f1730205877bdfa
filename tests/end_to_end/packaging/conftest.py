"""The packages are built once, from a release, for all tests of a run."""

import fcntl
import shutil

import pytest
from factory import Factory, make_release
from servers import TOP


def build(folder):
    """Has build-deb make packages of a release in a folder, and leaves them there with the log."""
    make_release(folder)
    with Factory() as factory:
        factory.give(TOP / "packaging" / "build-deb", *folder.iterdir())
        factory.build("./build-deb slshim-*.tar.xz", log="build.log")
        for file in factory.home.iterdir():
            if file.is_file() and not file.name.startswith("."):
                shutil.copy(file, folder)


@pytest.fixture(scope="session")
def packages(tmp_path_factory, request):
    """The folder with a release, what build-deb made of it, and the log of that. Tests that run beside
    each other, in processes of their own, share it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "packages"
    folder.mkdir(exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "build.log").exists():
            build(folder)
    return folder
