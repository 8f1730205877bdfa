"""slshim run: settings as options, and a command that becomes the server; what cannot work is refused
in one line."""

import os
import shutil
import stat
import subprocess

import pytest

from servers import BUILD, LIBRARY, as_root, tool

COMMAND = BUILD / "slshim"
NAMED = f"{LIBRARY}.0"  # by its SONAME
SHOW = ["sh", "-c", 'echo "$LD_PRELOAD"; env | grep ^SL_ | sort; echo $$']


def run(*words, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SL_")}
    clean.pop("LD_PRELOAD", None)
    return subprocess.run(
        [str(COMMAND), *map(str, words)], env=clean | environment, capture_output=True, text=True, timeout=20
    )


def refused(done, *words):
    """One line that has these words, and nothing was run."""
    assert done.returncode == 125
    assert done.stdout == ""
    assert done.stderr.startswith("slshim: ") and done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr, done.stderr
    return True


def test_options_become_variables():
    done = run("run", "--max-unshared=50M", "--max-leaving", "2", "--dry-run", "--", *SHOW)
    preloaded, *variables, pid = done.stdout.splitlines()
    assert preloaded == NAMED
    assert variables == ["SL_DRY_RUN=1", "SL_MAX_LEAVING=2", "SL_MAX_UNSHARED=50M"]
    assert (done.returncode, done.stderr) == (0, "")


def test_short_form():
    done = run("--max-rss=1G", "--", *SHOW)
    assert done.stdout.splitlines()[1] == "SL_MAX_RSS=1G"


def test_no_process_stays():
    with subprocess.Popen(
        [COMMAND, "--max-rss=1G", "--", *SHOW], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.read().splitlines()[-1] == str(process.pid)


@pytest.mark.parametrize(
    "before", ["/lib/other.so", f"{LIBRARY}", NAMED, "libslshim.so.0", f"/lib/other.so:{LIBRARY}"]
)
def test_preloaded_before(before):
    """What is preloaded stays so; ours comes first, unless it is there by one of its names."""
    done = run("--max-rss=1G", "--", "sh", "-c", 'echo "$LD_PRELOAD"', LD_PRELOAD=before)
    expected = before if "libslshim" in before else f"{NAMED}:{before}"
    assert done.stdout.strip() == expected


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--", "sh", "-c", "exit 3"], 3),
        (["--", "no_such_command"], 127),
        (["--", "/no/such/command"], 127),
        (["--", "/etc/passwd"], 126),
        (["--"], 125),
    ],
)
def test_status(words, status):
    assert run("--max-rss=1G", *words).returncode == status


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--max-unshared=x"], ["--max-unshared=x", "accepted: 0 (off), a number of KB"]),
        (["--max-unshared"], ["--max-unshared"]),
        (["--no-such-option=1"], ["--no-such-option=1"]),
        (["--probe=fast"], ["--probe=fast", "auto, rollup"]),
    ],
)
def test_refused_option(words, said):
    assert refused(run("run", *words, "--", "true"), *said)


def test_refused_variable():
    assert refused(run("run", "--", "true", SL_MAX_RSS="much"), 'SL_MAX_RSS="much"')


def test_no_limit():
    done = run("run", "--", "true")
    assert (done.returncode, done.stderr) == (0, "slshim: no limit is set, so no worker will leave\n")


# ------------------------------------------------------------------ what cannot work

PROGRAM = "int main(void) { return 0; }\n"
GO = """
__asm__(".section .note.go.buildid,\\"a\\",@note\\n.balign 4\\n.long 4\\n.long 4\\n.long 4\\n"
        ".ascii \\"Go\\\\0\\\\0\\"\\n.ascii \\"abcd\\"\\n");
"""


def build(directory, *options, text=PROGRAM):
    source, program = directory / "program.c", directory / "program"
    source.write_text(text)
    subprocess.run([tool("gcc"), "-o", program, source, *options], check=True)
    return program


KINDS = {
    "static": (["-static"], PROGRAM, "linked statically"),
    "static-pie": (["-static-pie"], PROGRAM, "linked statically"),
    "go": ([], PROGRAM + GO, "written in Go"),
    "other loader": (["-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"], PROGRAM, "another C library"),
    "other class": (["-m32"], PROGRAM, "another machine or class"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_program_that_the_library_cannot_work_in(kind, tmp_path):
    options, text, why = KINDS[kind]
    program = build(tmp_path, *options, text=text)
    assert refused(run("--max-rss=1G", "--", program), str(program), why, "--force")
    script = tmp_path / "script"
    script.write_text(f"#!{program}\n")
    script.chmod(0o755)
    assert refused(run("--max-rss=1G", "--", script), str(script), why)
    assert run("--max-rss=1G", "--force", "--", program).stderr.count("\n") >= 1


@pytest.mark.skipif(not as_root(), reason="another user's file takes root")
@pytest.mark.parametrize(("mode", "why"), [(stat.S_ISUID, "setuid"), (stat.S_ISGID, "setgid")])
def test_program_with_more_privileges(mode, why, tmp_path):
    program = build(tmp_path)
    os.chown(program, 1, 1)
    program.chmod(0o755 | mode)
    assert refused(run("--max-rss=1G", "--", program), why)


def test_library_path_with_a_space(tmp_path):
    place = tmp_path / "a place"
    place.mkdir()
    shutil.copy(COMMAND, place / "slshim")
    shutil.copy(LIBRARY, place / "libslshim.so.0")
    done = subprocess.run(
        [place / "slshim", "--max-rss=1G", "--", "true"], capture_output=True, text=True, timeout=20
    )
    assert refused(done, "a space or a colon")
