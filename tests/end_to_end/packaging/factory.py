"""Debian 13 to build and examine packages in, and to install them in. What they need is there
beforehand, because no machine reaches a network."""

import os
import re
import shlex
import shutil
import subprocess

from debian import Debian
from servers import BUILD, TOP

RELEASE = "trixie"
DEBIAN = TOP / "packaging" / "debian"
TOOLS = ["blhc", "faketime", "lintian", "locales", "piuparts", "reprotest", "rpm", "rpmlint", "xz-utils"]
# What our packages need at run time, by its names in this release.
LIBRARIES = ["libjansson4", "libmicrohttpd12t64", "libncursesw6", "libsmartcols1", "libtinfo6"]
OURS = {"libslshim0", "slshim"}
HOME = "/home/builder"


def names(dependencies):
    """Of packages, from a field of a control file; the first of those that will do."""
    return [re.match(r"[^\s(<|]+", one.strip())[0] for one in dependencies.split(",")]


def fields(file, name):
    """The values that it has in the paragraphs of a control file, with the lines that continue them."""
    found = re.findall(rf"^{name}:(.*\n(?: .*\n)*)", file.read_text(), re.MULTILINE)
    return [value.strip() for value in found]


def version():
    return re.search(r"AC_INIT\(\[slshim\], \[(.*)\]\)", (TOP / "configure.ac").read_text())[1]


def make_release(folder):
    """Makes the tarball that a release is."""
    subprocess.run(["make", "-s", "-C", BUILD, "dist"], check=True, timeout=300)
    shutil.copy(BUILD / f"slshim-{version()}.tar.xz", folder)


def of_clean():
    """The packages of a tree in which nothing is but what ours need."""
    return LIBRARIES


def of_site():
    """Those of a machine with the servers that the packages' own tests recycle, and with what watches
    them."""
    servers = names(", ".join(fields(DEBIAN / "tests" / "control", "Depends")))
    watching = ["autopkgtest", "dpkg-dev", "prometheus", "prometheus-node-exporter"]
    return [*LIBRARIES, *watching, *(set(servers) - OURS)]


def of_factory():
    return ["build-essential", *names(fields(DEBIAN / "control", "Build-Depends")[0]), *TOOLS]


def site():
    return Debian(RELEASE, *of_site())


class Factory(Debian):
    """Packages are built in it by a user who is not root, as distributions do."""

    def __init__(self):
        super().__init__(RELEASE, *of_factory())

    def __enter__(self):
        super().__enter__()
        self.run("useradd --create-home builder")
        return self

    @property
    def home(self):
        return self.root / HOME.lstrip("/")

    def give(self, *files):
        """Copies files from outside to the builder's home."""
        for file in files:
            shutil.copy(file, self.home)

    def build(self, command, log="log"):
        """Runs a command line as the builder at home. What it writes goes to a log, whose end is in a
        failure; returns the log."""
        settings = f"export LANG=C.UTF-8 DEB_BUILD_OPTIONS=parallel={os.cpu_count()}"
        line = f"su --login builder -c {shlex.quote(f'{settings}; {command}')} >{HOME}/{log} 2>&1"
        self.run(f"{line} || {{ tail -n 60 {HOME}/{log}; false; }}", timeout=1200)
        return (self.home / log).read_text()

