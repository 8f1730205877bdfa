"""The demo keeps what it promises: on a terminal, into a file, and when it is interrupted."""

import re
import signal
import struct
import subprocess
import sys

import psutil
import pytest

from servers import BUILD, DEMO, Missing, as_root, tool, wait_until
from terminal import Terminal

pytestmark = pytest.mark.alone

LIMIT_MB = 16
PICTURE = BUILD / "demo" / "demo.png"
COMMAND = [sys.executable, DEMO / "demo.py", "--seconds"]


@pytest.fixture(autouse=True)
def needs():
    tool("apache2")
    tool("gnuplot")
    if not (BUILD / "slshim").exists():
        raise Missing("the slshim command is not built")
    PICTURE.unlink(missing_ok=True)


def table(text):
    """{row: (without, with)}"""
    rows = re.findall(r"^(\S.*?) {2,}([\d.]+) +([\d.]+)$", text, re.MULTILINE)
    return {title: (float(without), float(limited)) for title, without, limited in rows}


def expect_picture():
    """Whole, and of its size."""
    data = PICTURE.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xaeB`\x82")
    assert struct.unpack(">II", data[16:24]) == (1240, 760)


def desktop_that_copies_to(path, directory):
    """The environment of a desktop whose program for pictures copies them there."""
    tool("xdg-open")
    applications, settings = directory / "data" / "applications", directory / "config"
    applications.mkdir(parents=True)
    settings.mkdir()
    (applications / "copy.desktop").write_text(
        f"[Desktop Entry]\nType=Application\nName=Copy\nExec=cp %f {path}\nMimeType=image/png;\n"
    )
    (settings / "mimeapps.list").write_text("[Default Applications]\nimage/png=copy.desktop\n")
    return {
        "DISPLAY": ":0",
        "XDG_CURRENT_DESKTOP": "X-Generic",
        "XDG_DATA_HOME": str(applications.parent),
        "XDG_CONFIG_HOME": str(settings),
    }


def test_on_a_terminal(tmp_path):
    """The top is live meanwhile, the limit is held, and the picture is opened on the desktop."""
    opened = tmp_path / "opened"
    desktop = desktop_that_copies_to(opened, tmp_path)
    with Terminal([*COMMAND, 36], columns=100, lines=30, **desktop) as terminal:
        try:
            terminal.wait_for_text("slshim top", "apache2, master", "of 8, by unshared")
            assert terminal.end(120) == 0
        finally:
            if terminal.child.isalive():
                terminal.send_signal(signal.SIGTERM)
                terminal.end()
        terminal.expect_restored()
    text = terminal.output.decode().replace("\r", "").rpartition("\x1b[?1049l")[2]
    print(text)
    rows = table(text)
    assert rows["requests"] == (1800, 1800) and rows["failed"] == (0, 0)
    without, limited = rows["workers recycled"]
    assert without == 0 and limited > 8
    without, limited = rows["largest worker in the second half, MB"]
    # A worker that has to wait for its turn goes on growing.
    assert limited < LIMIT_MB * 1.25 and without > LIMIT_MB * 1.5
    without, limited = rows["the whole server at the end, MB"]
    assert limited < without / 1.5
    assert re.search(r"^    slshim: apache2\[\d+\] leaves by \S+, over SL_MAX_UNSHARED", text, re.M)
    assert "# with slshim" in text and f"The picture: {PICTURE}\n" in text
    expect_picture()
    wait_until(
        lambda: opened.exists() and opened.read_bytes() == PICTURE.read_bytes(), "it is opened"
    )


# What root lacks in a container, who may not read the memory of other users' processes there.
IN_A_CONTAINER = ["setpriv", "--bounding-set=-sys_ptrace,-perfmon,-sys_admin"]


@pytest.mark.parametrize(("prefix", "program"), [([], "apache2"), (IN_A_CONTAINER, "leaky_prefork")])
def test_into_a_file(prefix, program):
    """Looks at the top, no escapes, and the same table and picture; with a server of ours where
    httpd cannot be measured."""
    if prefix and not as_root():
        pytest.skip("only root has these capabilities")
    command = [*prefix, *map(str, COMMAND), "6"]
    done = subprocess.run(
        command, text=True, capture_output=True, timeout=120, stdin=subprocess.DEVNULL
    )
    print(done.stdout, done.stderr)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("$ slshim top ") == done.stdout.count(f"\n{program}, master ") == 2
    assert "\x1b" not in done.stdout
    assert table(done.stdout)["failed"] == (0, 0)
    expect_picture()


def words_of(process):
    """None of one that has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(number):
    """Its servers and its load end with it."""
    with subprocess.Popen([*map(str, COMMAND), "15"], text=True, stdout=subprocess.PIPE) as demo:
        wait_until(lambda: "slshim top" in demo.stdout.readline(), "it has servers")
        started = psutil.Process(demo.pid).children(recursive=True)
        words = {word for process in started for word in words_of(process)}
        assert {tool("apache2"), str(DEMO / "load.py")} <= words
        demo.send_signal(number)
        assert demo.wait(30) == 128 + number
    assert psutil.wait_procs(started, timeout=10)[1] == []
