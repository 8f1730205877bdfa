"""Programs that merely inherit the environment see nothing of the library, and its hooks work
wherever they are called."""

import os
import re
import subprocess

import pytest

from servers import BUILD, LIBRARY, shim, tool

LIMITS = {"SL_MAX_UNSHARED": "1M", "SL_MAX_CONNECTIONS": "1", "SL_MAX_SIZE": "1"}
SYSCALLS = "openat,open,write,mmap,socket,memfd_create,dup,dup2,dup3,pipe,pipe2,close"

PROGRAMS = {
    "plain": ["/bin/ls", "/"],
    "pipeline": ["/bin/sh", "-c", "echo one two | tr ' ' '\\n' | sort -r; (exit 3)"],
    "perl": ["/usr/bin/perl", "-e", "print qx(echo hello); exit(fork() ? 0 : 1)"],
    "python": ["/usr/bin/python3", "-c", "import os, subprocess; subprocess.run(['true']); print(1)"],
}


def run(command, environment):
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("limits", [{}, LIMITS, {"SL_MAX_SIZE": "wrong"}], ids=["off", "on", "bad"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_program_behaves_the_same(program, limits):
    plain = run(PROGRAMS[program], os.environ)
    shimmed = run(PROGRAMS[program], os.environ | shim(**limits))
    assert (shimmed.returncode, shimmed.stdout, shimmed.stderr) == (
        plain.returncode,
        plain.stdout,
        plain.stderr,
    )


def traced(command, environment, directory, name):
    """The system calls of all processes that could be an output, a mapping or a descriptor, those
    of loading the library aside, sorted as processes run side by side."""
    trace = directory / name
    ours = [word for k, v in environment.items() for word in ("-E", f"{k}={v}")]
    subprocess.run(
        [tool("strace"), "-f", "-qq", "-o", str(trace), "-e", f"trace={SYSCALLS}", *ours, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
    calls = re.sub(r"0x[0-9a-f]+", "ADDRESS", trace.read_text()).splitlines()
    calls = [re.sub(r"^\d+ +", "", call) for call in calls]
    calls = [call for call in calls if "resumed" not in call and "unfinished" not in call]
    return calls


@pytest.mark.parametrize("program", ["plain", "perl"])
def test_limits_cost_a_program_no_output_mapping_or_descriptor(program, tmp_path):
    """The same calls with the library that has limits as with one that has none."""
    command = PROGRAMS[program] if program == "plain" else ["/usr/bin/perl", "-e", "print 1"]
    idle = traced(command, shim(), tmp_path, "idle")
    limited = traced(command, shim(**LIMITS), tmp_path, "limited")
    assert limited == idle
    bare = traced(command, {}, tmp_path, "bare")
    extra = [call for call in idle if call not in bare]
    assert all("libslshim" in call or call.startswith(("mmap", "close")) for call in extra), extra


def calls_of_pipes(count, environment, directory):
    """How many system calls a program makes that makes so many pipes."""
    trace = directory / "pipes"
    loop = [str(BUILD / "bench" / "call_loop"), "pipe", str(count)]
    ours = [word for k, v in environment.items() for word in ("-E", f"{k}={v}")]
    subprocess.run([tool("strace"), "-f", "-qq", "-o", str(trace), *ours, *loop], timeout=60, check=True)
    return sum("resumed" not in line for line in trace.read_text().splitlines())


def test_a_pipe_costs_no_system_call(tmp_path):
    """However many there are already."""
    for environment in ({}, shim(**LIMITS)):
        few, many = (calls_of_pipes(count, environment, tmp_path) for count in (100, 300))
        connections = 2 * 200  # a socket and its connect for each
        assert many - few == connections + 3 * 200


def mappings(environment):
    """Names of the mappings of a cat that shows its own; "" of anonymous ones."""
    shown = run(["/bin/cat", "/proc/self/maps"], os.environ | environment).stdout
    return [(line.split() + [""])[5] for line in shown.splitlines()]


def test_library_is_only_mapped():
    """Its own file and what belongs to it; the same with limits."""
    off, on, bare = mappings(shim()), mappings(shim(**LIMITS)), mappings({})
    assert str(LIBRARY.resolve()) in off
    assert on == off
    assert {name for name in off if name and name not in bare} == {str(LIBRARY.resolve())}


def test_hooks_work_in_foreign_constructors_and_destructors():
    """"c" before our constructor ran, "d" after exit began."""
    foreign = BUILD / "tests" / ".libs" / "foreign_constructor.so"
    for limits in ({}, LIMITS):
        environment = os.environ | shim(**limits)
        environment["LD_PRELOAD"] = f"{LIBRARY}:{foreign}"
        done = run(["/bin/true"], environment | {"LD_DEBUG": "files"})
        order = re.findall(r"calling init: (\S+)", done.stderr)
        assert order.index(str(foreign)) < order.index(str(LIBRARY))
        assert (done.returncode, done.stdout) == (0, "cd")


# Off; on, with every connection followed; on, with a limit that is crossed at once.
@pytest.mark.parametrize(
    "limits", [{}, {"SL_MAX_SIZE": "1T"}, LIMITS | {"SL_LEAVE": "none"}], ids=["off", "on", "over"]
)
def test_hooks_work_in_handlers_vfork_and_exit(limits):
    done = run([str(BUILD / "tests" / "hooks_anywhere")], os.environ | shim(SL_LOG="off", **limits))
    assert done.stderr == ""
    assert done.stdout == "in a signal handler\nafter a vfork\nin exit\nand left\n"


def test_setuid_program_ignores_it(tmp_path):
    """The loader drops a preload with a slash; nothing is said and nothing breaks."""
    done = run(["/bin/su", "--version"], os.environ | shim(**LIMITS))
    assert done.returncode == 0
    assert "slshim" not in done.stderr
