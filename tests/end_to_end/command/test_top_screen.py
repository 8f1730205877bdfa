"""slshim top in a terminal, with pools that are made up: sizes, keys, resizing, and how the terminal
is left; as plain text and as JSON."""

import json
import os
import re
import signal
import subprocess
import time

import psutil
import pytest
from terminal import FAULTS, SIGNALS_THAT_END, Terminal

from servers import BUILD, tool, wait_until

MADE_UP = BUILD / "tests" / "top_made_up"
HELP = "q quit"
SIZES = [(60, 24), (80, 24), (80, 50), (200, 50)]


def top(workers, *words, columns=80, lines=24, **environment):
    return Terminal([MADE_UP, *words], columns, lines, MADE_UP_WORKERS=workers, **environment)


def run(*words, workers="8", **environment):
    return subprocess.run(
        [MADE_UP, *words],
        env=os.environ | {"MADE_UP_WORKERS": workers, "LC_ALL": "C.UTF-8"} | environment,
        capture_output=True,
        text=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )


def pids(lines):
    """In the table of workers."""
    return [int(found[1]) for line in lines if (found := re.match(r" +(\d+) (?=[a-z])", line))]


@pytest.mark.parametrize("workers", ["1", "8", "64", "1100"])
@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_screen(workers, columns, lines):
    with top(workers, columns=columns, lines=lines) as terminal:
        seen = terminal.wait_for_text(HELP, f"of {workers}, by unshared")
        print("\n".join(seen))
        assert re.match(r"slshim top  \d\d:\d\d:\d\d$", seen[0])
        assert seen[-1].startswith(HELP) and seen[-1].endswith(f" of {workers}, by unshared")
        shown = pids(seen)
        assert len(shown) == len(set(shown)) >= min(int(workers), lines // 2 - 1)


def test_each_worker_is_reached():
    """By pages; what is at the end of the last line is drawn last."""
    with top("1100", lines=30) as terminal:
        terminal.wait_for_text("by unshared")
        terminal.press("p")
        seen = set(pids(terminal.wait_for_text("1-15 of 1100, by pid")))
        for first in [*range(15, 1086, 14), 1086]:
            terminal.press("\x1b[6~")
            seen.update(pids(terminal.wait_for_text(f" {first}-{first + 14} of 1100, by pid")))
        assert seen == {4712 + 3 * n for n in range(1100)}
        terminal.press("\x1bOH")
        terminal.wait_for_text(" 1-15 of 1100, by pid")


def test_keys():
    with top("64 8 1") as terminal:
        terminal.wait_for_text("pool 1 of 3", "apache2, master 4001", "by unshared")
        terminal.press("\t")
        terminal.wait_for_text("pool 2 of 3", "php-fpm8.2, master 4002", "of 8, by unshared")
        terminal.press("\x1bOC")  # right
        terminal.wait_for_text("pool 3 of 3", "gunicorn, master 4003")
        terminal.press("\t")
        terminal.press("c")
        terminal.wait_for_text("pool 1 of 3", "by conns")
        terminal.press("c")
        terminal.wait_for_text("by conns, reversed")
        before = pids(terminal.lines())
        terminal.press("\x1bOB\x1bOB")  # down
        terminal.wait_for(lambda lines: pids(lines)[0] == before[2], "two lines further")
        terminal.press("\x1bOF")  # end
        terminal.wait_for_text("-64 of 64")
        terminal.press("q")
        assert terminal.end() == 0
        terminal.expect_restored()


def test_looks_again():
    """By itself, and shows what has changed since."""
    with top("8", "--delay=0.2") as terminal:
        terminal.wait_for_text("left     132, last")
        terminal.wait_for_text("138 (2.0/s)")


def test_delay():
    """No look comes early, keys or not."""
    with top("8", "--delay", "60") as terminal:
        terminal.wait_for_text("left     132, last")
        for key in "aocuwit":
            terminal.press(key)
        terminal.wait_for_text("by proportional")
        assert "132, last" in terminal.text()


def test_resize():
    with top("64") as terminal:
        terminal.wait_for_text("of 64, by unshared")
        for columns, lines in [(200, 50), (60, 15), (20, 5), (1, 1), (120, 40)]:
            terminal.resize(columns, lines)
            if columns >= 60:
                terminal.wait_for(
                    lambda seen: seen[-1].startswith(HELP)
                    and seen[-1].endswith("of 64, by unshared")
                    and len(seen[-1]) == columns,  # noqa: B023
                    f"the last line ends at the right of {columns} columns",
                )
                assert terminal.lines()[0].startswith("slshim top")
        terminal.press("q")
        assert terminal.end() == 0


@pytest.mark.parametrize("number", SIGNALS_THAT_END)
def test_ends_at_signal(number):
    with top("64") as terminal:
        terminal.wait_for_text("by unshared")
        terminal.send_signal(number)
        assert terminal.end() == 0
        terminal.expect_restored()


def test_interrupt_key():
    with top("64") as terminal:
        terminal.wait_for_text("by unshared")
        terminal.press("\x03")
        assert terminal.end() == 0
        terminal.expect_restored()


@pytest.mark.parametrize("number", FAULTS)
def test_restored_at_fault(number):
    with top("64") as terminal:
        terminal.wait_for_text("by unshared")
        terminal.send_signal(number)
        assert terminal.end() == -number
        terminal.expect_restored()


def test_ends_with_its_terminal():
    """When the terminal is closed, it does not go on."""
    with top("64") as terminal:
        terminal.wait_for_text("by unshared")
        process = psutil.Process(terminal.child.pid)
        terminal.child.ptyproc.fileobj.close()
        wait_until(
            lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "it has ended"
        )


def test_stops_and_continues():
    """By the key of the shell's, and comes back whole."""
    with Terminal([tool("bash"), "--norc", "-i"], PS1="ready> ", MADE_UP_WORKERS="64") as terminal:
        terminal.wait_for_text("ready>")
        terminal.press(f"{MADE_UP}\n")
        terminal.wait_for_text("of 64, by unshared")
        terminal.press("\x1a")
        terminal.wait_for(lambda lines: any("Stopped" in line for line in lines), "stopped")
        modes = terminal.output
        assert modes.count(b"\x1b[?1049h") == modes.count(b"\x1b[?1049l") == 1
        terminal.press("fg\n")
        terminal.wait_for_text("slshim top", "of 64, by unshared", HELP)
        terminal.press("q")
        terminal.wait_for(lambda _: terminal.output.count(b"\x1b[?1049l") == 2, "restored")
        terminal.press("exit\n")
        assert terminal.end() == 0


COLOURS = re.compile(rb"\x1b\[(?:[0-9;]*;)?3[1-7](?:;[0-9;]*)?m")


def test_colours():
    with top("64") as terminal:
        terminal.wait_for_text("by unshared")
        assert COLOURS.search(terminal.output)


def test_no_colour():
    with top("64", NO_COLOR="1") as terminal:
        terminal.wait_for_text("by unshared", "110%", "away")
        assert not COLOURS.search(terminal.output)


def test_ascii():
    with top("64", LC_ALL="C") as terminal:
        terminal.wait_for_text("by unshared", "##########.   98%")
        assert terminal.output.isascii()


@pytest.mark.parametrize("kind", ["xterm", "screen", "tmux", "linux", "vt100"])
def test_terminals(kind):
    with top("8", TERM=kind) as terminal:
        wait_until(lambda: terminal.read() and b"php-fpm8.2" in terminal.output, "drawn")
        terminal.press("q")
        assert terminal.end() == 0


@pytest.mark.parametrize("kind", ["nothing-known", "dumb", ""])
def test_terminal_that_cannot_be_drawn_on(kind):
    with top("8", TERM=kind) as terminal:
        assert terminal.end() == 125
        said = terminal.output.decode().replace("\r", "")
        assert said.count("\n") == 1
        assert f"TERM={kind} is no terminal that can be drawn on; accepted: another one, or --once" in said


# ---------------------------------------------------------------------- plain text


@pytest.mark.parametrize("words", [[], ["--once"], ["-1"], ["--delay=60"]])
def test_redirected(words):
    """Once, all workers, no escapes."""
    done = run(*words, workers="8 64")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(pids(done.stdout.splitlines())) == 72
    assert "\x1b" not in done.stdout and " \n" not in done.stdout


def test_once_on_a_terminal():
    with top("64", "--once", columns=60) as terminal:
        assert terminal.end() == 0
        lines = terminal.output.decode().replace("\r", "").splitlines()
        assert len(pids(lines)) == 64
        assert max(map(len, lines)) == 60
        assert b"\x1b" not in terminal.output


def test_no_pool():
    done = run(workers="")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("there is no pool that may be read\n")
    done = run("4711", workers="")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("4711 is no master or worker of a pool that may be read\n")


def test_waits_for_a_pool():
    with top("") as terminal:
        terminal.wait_for_text("There is no pool that may be read.", HELP)
        terminal.press("\t\x1b[6~p")
        terminal.press("q")
        assert terminal.end() == 0


# ---------------------------------------------------------------------------- JSON


def test_json_once():
    done = run("--json", "--once", workers="8 64")
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    look = json.loads(done.stdout)
    assert abs(look["time"] - time.time()) < 20
    assert [len(pool["workers"]) for pool in look["pools"]] == [8, 64]
    assert (look["unmapped"], look["unreadable"]) == ([], 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_json_until_interrupted(number):
    process = subprocess.Popen(
        [MADE_UP, "--json", "--delay=0.1"],
        env=os.environ | {"MADE_UP_WORKERS": "8"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        times = [json.loads(process.stdout.readline())["time"] for _ in range(5)]
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(20) == 0
    assert all(json.loads(line) for line in rest.splitlines()) and (rest == "" or rest.endswith("\n"))
    assert all(0.05 < after - before < 5 for before, after in zip(times, times[1:]))


def test_json_that_nobody_reads():
    """It waits, and can be ended."""
    reading, writing = os.pipe()
    with subprocess.Popen(
        [MADE_UP, "--json", "--delay=0.1"], env=os.environ | {"MADE_UP_WORKERS": "8"}, stdout=writing
    ) as process, open(reading, "rb") as reader:
        os.set_blocking(writing, False)
        assert reader.read(1) == b"{"
        with pytest.raises(BlockingIOError):
            while True:
                os.write(writing, b" " * 4096)
        os.close(writing)

        def wakes():
            return psutil.Process(process.pid).num_ctx_switches().voluntary

        def waits():
            before = wakes()
            time.sleep(0.5)  # five looks
            return wakes() == before

        wait_until(waits, "it waits")
        process.terminate()
        assert process.wait(20) == 0


def test_json_that_cannot_be_written():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [MADE_UP, "--json"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20
        )
    assert done.returncode == 125
    assert done.stderr.endswith("standard output: No space left on device\n")


# ------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--delay=x"], "--delay=x is refused; accepted: a number of seconds, 0.1 to 3600"),
        (["--delay=0"], "--delay=0 is refused"),
        (["--delay=1e9"], "--delay=1e9 is refused"),
        (["--delay="], "--delay= is refused"),
        (["--delay=nan"], "--delay=nan is refused"),
        (["--delay"], "--delay wants a value"),
        (["--no-such"], "--no-such is no option"),
        (["apache2"], '"apache2" is no pid; accepted: a number'),
        (["0"], '"0" is no pid'),
        (["99999999999"], '"99999999999" is no pid'),
        (["1", "2"], 'top takes one pid, and "2" is one more'),
    ],
)
def test_refused(words, said):
    done = run(*words)
    assert (done.returncode, done.stdout) == (125, "")
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_help():
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("--delay", "--once", "--json"):
        assert option in done.stdout
