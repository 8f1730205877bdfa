"""A Debian 13 in which packages are built and examined, by a user who is not root, as distributions
do. Nothing in it reaches a network."""

import re
import shlex
import shutil
import subprocess

from debian import Debian
from servers import BUILD, TOP, tool

RELEASE = "trixie"
DEBIAN = TOP / "packaging" / "debian"
TOOLS = ["blhc", "faketime", "lintian", "locales", "piuparts", "reprotest", "rpm", "rpmlint", "xz-utils"]
SITE = ["autopkgtest", "dpkg-dev", "prometheus", "prometheus-node-exporter"]
HOME = "/home/builder"


def names(dependencies):
    """Of packages, from a field of a control file; the first of those that will do."""
    return [re.match(r"[^\s(<|]+", one.strip())[0] for one in dependencies.split(",") if one.strip()]


def fields(file, name):
    """The values that it has in the paragraphs of a control file, with the lines that continue them."""
    found = re.findall(rf"^{name}:(.*\n(?: .*\n)*)", file.read_text(), re.MULTILINE)
    return [value.strip() for value in found]


def version():
    return re.search(r"AC_INIT\(\[slshim\], \[(.*)\]\)", (TOP / "configure.ac").read_text())[1]


def make_release(folder):
    """The tarball that a release is."""
    subprocess.run(["make", "-s", "-C", BUILD, "dist"], check=True, timeout=120)
    return shutil.copy(BUILD / f"slshim-{version()}.tar.xz", folder)


def archives(folder):
    """The packages that are installed where a server runs."""
    return [next(folder.glob(f"{name}_*.deb")) for name in ("libslshim0", "slshim")]


def site(folder):
    """A machine that is to get the packages from a folder: it has what they need, and the servers that
    their tests recycle."""
    show = [tool("dpkg-deb"), "--show", "--showformat=${Depends}, "]
    needs = names(", ".join(fields(DEBIAN / "tests" / "control", "Depends")))
    for archive in archives(folder):
        needs += names(subprocess.run([*show, archive], check=True, capture_output=True, text=True).stdout)
    return Debian(RELEASE, *SITE, *[name for name in needs if name not in ("libslshim0", "slshim")])


class Factory(Debian):
    def __init__(self):
        build_needs = names(fields(DEBIAN / "control", "Build-Depends")[0])
        super().__init__(RELEASE, "build-essential", *build_needs, *TOOLS)

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

    def run_as_builder(self, command, log="log"):
        """In the builder's home; what it writes goes to a file there, whose end is in a failure."""
        quoted = shlex.quote(f"{command}") + f" >{HOME}/{log} 2>&1"
        self.run(f"su --login builder -c {quoted} || {{ tail -n 60 {HOME}/{log}; false; }}", timeout=900)
        return (self.home / log).read_text()
