"""The completions of bash, zsh and fish, in these shells on a terminal, from where they are installed."""

import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

from servers import BUILD, PATIENCE, Missing, tool

COMMAND = BUILD / "slshim"


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    """Where `make install` puts them."""
    place = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [tool("make"), "-s", "-C", BUILD, "install-data", f"DESTDIR={place}", "prefix=/usr"],
        check=True,
        capture_output=True,
    )
    return place / "usr/share"


class Shell:
    """One that a person types into."""

    def __init__(self, words, home, environment, prepare=()):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            clean = {"PATH": f"{BUILD}:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb"}
            os.chdir(home)
            os.execve(words[0], words, clean | environment)
        self.seen = ""
        for line in prepare:
            self.type(line + "\n")
        self.type("echo rea''dy\n")
        self.wait_for(r"ready")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, pattern, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            assert time.monotonic() < end, f"not seen: {pattern} in {self.seen!r}"
            if select.select([self.terminal], [], [], 0.1)[0]:
                self.seen += os.read(self.terminal, 4096).decode(errors="replace")
        return self.seen

    def complete(self, text, pattern, tabs=1):
        """What follows the text, after a tab or more; then the line is given up."""
        self.seen = ""
        self.type(text)
        self.wait_for(re.escape(text[-8:]))
        self.seen = ""
        self.type("\t" * tabs)
        seen = self.wait_for(pattern)
        self.type("\x15")
        return seen

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def start_bash(home, share):
    script = "/usr/share/bash-completion/bash_completion"
    if not os.path.exists(script):
        raise Missing("bash-completion is not installed")
    return Shell(
        [tool("bash"), "--norc", "--noprofile", "-i"],
        home,
        {"XDG_DATA_DIRS": f"{share}:/usr/share"},
        [f"source {script}", "bind 'set bell-style none'", "bind 'set enable-bracketed-paste off'"],
    )


def start_zsh(home, share):
    return Shell(
        [tool("zsh"), "-f", "-i"],
        home,
        {},
        [
            "unsetopt zle_bracketed_paste 2>/dev/null; PS1='$ '",
            f"fpath=({share}/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -D",
        ],
    )


STARTED = {"bash": (start_bash, 2), "zsh": (start_zsh, 2)}


@pytest.fixture(params=STARTED)
def shell(request, tmp_path, share):
    start, tabs = STARTED[request.param]
    started = start(tmp_path, share)
    started.tabs = tabs
    yield started
    started.close()


CASES = [
    ("slshim mea", r"sure"),
    ("slshim run --max-uns", r"hared="),
    ("slshim --max-uns", r"hared="),
    ("slshim run --probe=ro", r"llup"),
    ("slshim run --overdue le", r"ave"),
    ("slshim --dry", r"-run"),
    ("slshim check -f onlyf", r"ile"),
    ("slshim --log=onlyf", r"ile"),
    ("slshim run --max-rss=1G -- test_of_a_comm", r"and"),
    ("slshim check test_of_a_comm", r"and"),
    ("slshim measure --js", r"on"),
]


def test_words(shell, tmp_path):
    """Each is completed to the only one that there is."""
    (tmp_path / "onlyfile").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/test_of_a_command").write_text("#!/bin/sh\n")
    (tmp_path / "bin/test_of_a_command").chmod(0o755)
    shell.type(f"PATH={tmp_path}/bin:$PATH\n")
    for text, rest in CASES:
        shell.complete(text, rest)


def all_of(*words):
    """A pattern for what has all of them, in any order."""
    return "(?s)" + "".join(rf"(?=.*\b{word}\b)" for word in words)


def test_lists(shell):
    """All that there are, where there are several."""
    values = all_of("auto", "rollup", "smaps", "statm", "rusage")
    shell.complete("slshim run --probe=", values, shell.tabs)
    shell.complete("slshim ", all_of("run", "check", "measure", "status", "top"), shell.tabs)


def fish_completes(text, share, home):
    done = subprocess.run(
        [tool("fish"), "--private", "-c", f"complete -C '{text}'"],
        env={
            "PATH": f"{home}:{BUILD}:{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_DATA_DIRS": f"{share}:/usr/share",
            "TERM": "dumb",
        },
        cwd=home,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stderr == ""
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("text", "rest"), CASES)
def test_fish(text, rest, share, tmp_path):
    (tmp_path / "onlyfile").touch()
    (tmp_path / "test_of_a_command").write_text("#!/bin/sh\n")
    (tmp_path / "test_of_a_command").chmod(0o755)
    assert fish_completes(text, share, tmp_path) == [text.split()[-1] + rest.rstrip("=")]


def test_fish_lists(share, tmp_path):
    values = fish_completes("slshim run --probe=", share, tmp_path)
    assert set(values) == {f"--probe={word}" for word in ("auto", "rollup", "smaps", "statm", "rusage")}
    assert {"run", "check", "measure", "status"} <= set(fish_completes("slshim ", share, tmp_path))


def test_every_option_is_told():
    """By the command, to the scripts: each with a value that the command accepts."""
    done = subprocess.run([COMMAND, "completion"], capture_output=True, text=True, timeout=20)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert all(len(line) == 5 for line in lines)
    helped = subprocess.run([COMMAND, "run", "--help"], capture_output=True, text=True, timeout=20).stdout
    told = {option for subcommand, option, *_ in lines if subcommand == "run" and option != "-"}
    assert told == set(re.findall(r"^--[-a-z]+", helped, re.MULTILINE))
    values = [(option, value) for _, option, _, values, _ in lines for value in values.split() if value != "-"]
    assert len(values) > 40 and ("--leave", "USR1@close") in values and ("--thp", "never") in values
    for option, value in values:
        done = subprocess.run(
            [COMMAND, "run", f"{option}={value}", "--", "true"], capture_output=True, text=True, timeout=20
        )
        assert done.returncode == 0, done.stderr
