"""Builds for other architectures, and servers that run in them: compiled by clang with Debian's
libraries of that architecture, run by qemu's emulation of a program, each process by itself on this
machine's kernel. The emulator has a thread of its own in every process, and its own memory is in the
figures. Nothing here knows what is expected."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from debian import unpacked
from servers import TOP, Httpd, HandWritten, LeakyPrefork, tool

PACKAGES = ["libc6-dev", "check", "apache2-bin"]
COMPILERS_LIBRARY = {"bookworm": "libgcc-12-dev", "trixie": "libgcc-14-dev"}
TARGETS = ["libslshim.la", "tests/hand_written/hand_written", "examples/leaky_prefork"]


@dataclass(frozen=True)
class Architecture:
    """By Debian's name; `emulator` is qemu's."""

    name: str
    triplet: str
    emulator: str
    release: str = "bookworm"

    def __str__(self):
        return self.name


ARCHITECTURES = [
    Architecture("s390x", "s390x-linux-gnu", "s390x"),  # big-endian
    Architecture("armhf", "arm-linux-gnueabihf", "arm", "trixie"),  # 32-bit, 64-bit times
    Architecture("arm64", "aarch64-linux-gnu", "aarch64"),
    Architecture("ppc64el", "powerpc64le-linux-gnu", "ppc64le"),
    Architecture("riscv64", "riscv64-linux-gnu", "riscv64", "trixie"),
    Architecture("i386", "i686-linux-gnu", "i386"),
]


def tree_of(architecture, *packages):
    """Its libraries and httpd, and what else is wanted."""
    release = architecture.release
    tree = unpacked(release, architecture.name, *PACKAGES, COMPILERS_LIBRARY[release], *packages)
    for link in tree.glob("usr/lib64/*"):  # ppc64el's loader is a link to /, and would be this machine's
        if link.is_symlink() and os.readlink(link).startswith("/"):
            target = f"../..{os.readlink(link)}"
            link.unlink()
            link.symlink_to(target)
    return tree


class Build:
    """All of the library and the servers of ours, in a directory."""

    def __init__(self, architecture, directory, tree=None):
        """`tree`: another one than that of the emulated ones, which has all of its packages."""
        self.architecture = architecture
        self.directory = directory
        self.tree = tree or tree_of(architecture)
        self.under = [f"qemu-{architecture.emulator}-static", "-L", str(self.tree)]
        self.library = directory / ".libs" / "libslshim.so"
        self._configure()
        self.make(*TARGETS)

    def _configure(self):
        compiler = self.directory / "cc"
        triplet = self.architecture.triplet
        libraries = next(self.tree.glob("usr/lib/*/pkgconfig")).parent
        options = f"--target={triplet} --sysroot={self.tree} -B{libraries} -L{libraries}"
        tool("clang")
        compiler.write_text(f'#!/bin/sh\nexec clang -Qunused-arguments {options} "$@"\n')
        compiler.chmod(0o755)
        configure = ["/bin/sh", TOP / "configure", "--quiet", "--enable-werror", f"--host={triplet}"]
        packages = {"PKG_CONFIG_LIBDIR": libraries / "pkgconfig", "PKG_CONFIG_SYSROOT_DIR": self.tree}
        subprocess.run(
            [*configure, f"CC={compiler}", "CFLAGS=-O2 -g"],
            cwd=self.directory,
            env=os.environ | {"CONFIG_SHELL": "/bin/sh"} | packages,
            check=True,
        )

    def make(self, *words, **arguments):
        command = ["make", "-s", f"-j{os.cpu_count()}", *words]
        return subprocess.run(command, cwd=self.directory, **({"check": True} | arguments))

    def environment(self, variables):
        """With this library preloaded."""
        return variables | {"LD_PRELOAD": str(self.library)}


def run_in(server, build, program):
    tool(build.under[0])
    server.command[:1] = [*build.under, str(build.directory / program)]
    return server


def hand_written(build, environment, **parts):
    server = HandWritten(build.environment(environment), **parts)
    return run_in(server, build, "tests/hand_written/hand_written")


def leaky_prefork(build, environment, **sizes):
    server = LeakyPrefork(build.environment(environment), **sizes)
    return run_in(server, build, "examples/leaky_prefork")


class EmulatedHttpd(Httpd):
    """The architecture's own."""

    def __init__(self, build, environment, **arguments):
        self.build = build
        super().__init__(build.environment(environment), **arguments)
        self.program = str(build.tree / "usr/sbin/apache2")

    def _file_of(self, module):
        file = self.build.tree / f"usr/lib/apache2/modules/mod_{module}.so"
        return file if file.exists() else None

    def spawn(self, command, observed=False, **arguments):
        super().spawn([*self.build.under, *command], observed, **arguments)
