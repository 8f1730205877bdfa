"""Holds a value against a type that its reader publishes on npm: Kubernetes' objects, Grafana's
dashboards. The packages are installed in the build, as their lock file says."""

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from servers import BUILD, tool

FILES = Path(__file__).parent / "published"
INSTALLED = BUILD / "published"


def install():
    if "SLSHIM_CELL" in os.environ:
        pytest.skip("a cell has no network to install with, and its host runs this")
    INSTALLED.mkdir(exist_ok=True)
    with open(INSTALLED / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = INSTALLED / "node_modules" / ".package-lock.json"
        wanted = (FILES / "package-lock.json").read_text()
        is_same = (INSTALLED / "package-lock.json").exists() and (
            INSTALLED / "package-lock.json"
        ).read_text() == wanted
        for file in FILES.iterdir():
            shutil.copy(file, INSTALLED)
        if not (is_same and mark.exists()):
            subprocess.run(
                [tool("npm"), "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
                cwd=INSTALLED, check=True, timeout=300,
            )  # fmt: skip


def faults(*values):
    """A list of what is wrong for each (file of a package, type, value). To read a type takes seconds."""
    install()
    asked = [{"file": file, "type": kind, "value": value} for file, kind, value in values]
    done = subprocess.run(
        [tool("node"), INSTALLED / "validate.mjs"], input=json.dumps(asked), text=True, capture_output=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
