"""What an administrator sees of the variables: the start line, errors, where the log goes."""

import os
import re
import socket
import subprocess

import pytest

from servers import BUILD, LeakyPrefork, ab, as_root, get, leavings, shim, shim_lines

WRONG = {
    "negative": "-1",
    "no number": "many",
    "unknown suffix": "5Q",
    "overflow": "99999999999999999999",
    "unknown word": "sometimes",
}
VARIABLES = [
    "SL_MAX_SIZE", "SL_MAX_RSS", "SL_MAX_UNSHARED", "SL_MIN_SHARED", "SL_MAX_CONNECTIONS",
    "SL_MAX_REQUESTS", "SL_APPLICATION",
    "SL_MAX_PSS", "SL_MAX_SWAP", "SL_MAX_GROWTH", "SL_MAX_AGE", "SL_MAX_CPU", "SL_MAX_FDS",
    "SL_MAX_POOL",
    "SL_CHECK_EVERY", "SL_PROBE", "SL_LEAVE", "SL_MAX_LEAVING", "SL_REPLACE_TIMEOUT",
    "SL_DRAIN_TIMEOUT", "SL_OVERDUE",
    "SL_STRIKES", "SL_MIN_AGE", "SL_JITTER", "SL_PRESSURE", "SL_THP", "SL_KSM",
    "SL_TRIM", "SL_DRY_RUN", "SL_LOG", "SL_STRICT", "SL_LISTEN", "SL_PROBE_BUDGET",
    "SL_STATUS", "SL_STATUS_MODE",
]  # fmt: skip


def loaded(environment, requests=400, settled=True):
    """A server after some load, which must not have lost anything."""
    with LeakyPrefork(environment, preloaded_mb=4, settled=settled) as server:
        ab(server.url(), requests).expect_good()
        assert server.stop() == 0
        return server


def test_start_line_comes_once_from_the_master():
    server = loaded(shim(SL_MAX_UNSHARED="1G", SL_MAX_SIZE=123456789, SL_PROBE_BUDGET="5%"))
    lines = [line for line in shim_lines(server.log()) if "watches" in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"leaky_prefork[{server.master.pid}]: ")
    assert "SL_MAX_UNSHARED=1048576 KB" in lines[0]
    assert "SL_MAX_SIZE=123456789 KB" in lines[0]
    assert "SL_PROBE_BUDGET=5%" in lines[0]


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("variable", VARIABLES)
def test_bad_value_is_one_line_and_the_server_runs(variable, kind):
    environment = shim(SL_MAX_CONNECTIONS=1, SL_LEAVE="QUIT@close") | {variable: WRONG[kind]}
    server = loaded(environment, requests=40, settled=False)
    lines = shim_lines(server.log())
    assert len(lines) == 1, lines
    assert lines[0].startswith(
        f'leaky_prefork[{server.master.pid}]: {variable}="{WRONG[kind]}" is refused'
    )
    assert "slshim is off; accepted: " in lines[0]


def test_bad_values_are_a_line_each():
    server = loaded(shim(SL_MAX_SIZE="x", SL_MAX_RSS="y", SL_PROBE="z"))
    assert len(shim_lines(server.log())) == 3


def test_empty_variables_are_as_if_they_were_not_set():
    empty = dict.fromkeys(VARIABLES, "")
    server = loaded(shim(**empty | {"SL_MAX_CONNECTIONS": 9, "SL_LEAVE": "QUIT@close"}))
    (line,) = [line for line in shim_lines(server.log()) if "leaves by" not in line]
    assert "watches its workers: SL_MAX_CONNECTIONS=9 SL_CHECK_EVERY=1 SL_MAX_LEAVING=10% " in line
    assert server.leavings()
    assert shim_lines(loaded(shim(**empty)).log()) == []


def test_unknown_variable_is_a_warning_and_the_rest_holds():
    server = loaded(shim(SL_MAX_CONNECTIONS=9, SL_MAX_UNSHARD="1M", SL_LEAVE="QUIT@close"))
    warnings = [line for line in shim_lines(server.log()) if "SL_MAX_UNSHARD" in line]
    assert len(warnings) == 1
    assert warnings[0].endswith("the nearest is SL_MAX_UNSHARED")
    assert server.leavings()


def test_misspelt_only_limit_is_told_too():
    server = loaded(shim(SL_MAX_UNSHARD="1M"))
    assert [line.split()[-1] for line in shim_lines(server.log())] == ["SL_MAX_UNSHARED"]


def run_strict(**variables):
    return subprocess.run(
        [str(BUILD / "examples" / "leaky_prefork")],
        env=os.environ | shim(SL_STRICT=1, **variables),
        capture_output=True,
        text=True,
        timeout=10,
    )


def test_strict_ends_at_listen():
    done = run_strict(SL_MAX_SIZE="huge")
    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert 'SL_MAX_SIZE="huge" is refused' in done.stderr


def test_strict_lets_a_sound_configuration_pass():
    server = loaded(shim(SL_STRICT=1, SL_MAX_CONNECTIONS=9, SL_LEAVE="QUIT@close"))
    assert server.leavings()


def test_strict_spares_a_program_that_does_not_listen():
    done = subprocess.run(
        ["sh", "-c", "echo ok | cat"],
        env=os.environ | shim(SL_STRICT=1, SL_MAX_SIZE="huge"),
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


def test_dry_run_tells_and_stays():
    server = loaded(shim(SL_MAX_CONNECTIONS=9, SL_LEAVE="QUIT@close", SL_DRY_RUN=1))
    told = server.leavings()
    assert 1 <= len(told) <= 8
    assert all("would leave (SL_DRY_RUN)" in leaving.text for leaving in told)
    assert len({leaving.pid for leaving in told}) == len(told)


def test_line_of_a_leaving_names_all_that_led_to_it():
    server = loaded(
        shim(SL_MAX_UNSHARED="1M", SL_MAX_CONNECTIONS=10, SL_LEAVE="QUIT@close", SL_MAX_LEAVING=1)
    )
    number = r"\d+ KB"
    assert re.search(
        rf"leaky_prefork\[\d+\] leaves by QUIT@close, over SL_MAX_UNSHARED: {number} > 1024 KB"
        rf"(?: and SL_MAX_CONNECTIONS: \d+ > 10)?; size {number}, resident {number}, "
        rf"unshared {number}, shared {number}, proportional {number}, swapped {number}, "
        r"connections \d+, age \d+\.\d\d s, cpu \d+\.\d\d s, descriptors \d+; "
        r"(?:not measured for \d+\.\d\d s \(SL_PROBE_BUDGET\); )?"
        rf"waited \d+\.\d\d s and \d+ connections for its turn$",
        server.log(),
        re.MULTILINE,
    )


def test_limit_that_cannot_be_measured_is_told_and_never_fires():
    server = loaded(shim(SL_MAX_UNSHARED="1M", SL_PROBE="statm", SL_LEAVE="QUIT@close"))
    lines = shim_lines(server.log())
    assert len(lines) == 2
    assert "SL_MAX_UNSHARED has no effect" in lines[1]


def test_log_off():
    server = loaded(shim(SL_MAX_CONNECTIONS=9, SL_LEAVE="QUIT@close", SL_LOG="off"))
    assert server.log() == ""


def test_log_file(tmp_path):
    """Also where only the master may open it."""
    log = tmp_path / "log"
    server = loaded(shim(SL_MAX_CONNECTIONS=9, SL_LEAVE="QUIT@close", SL_LOG=log))
    assert server.log() == ""
    assert leavings(log.read_text())
    assert log.read_text().count("watches its workers") == 1


def test_log_file_that_cannot_be_opened():
    server = loaded(shim(SL_MAX_CONNECTIONS=9, SL_LEAVE="QUIT@close", SL_LOG="/nowhere/log"))
    assert "SL_LOG=/nowhere/log cannot be opened" in shim_lines(server.log())[0]
    assert server.leavings()


@pytest.mark.skipif(not as_root() or os.path.exists("/dev/log"), reason="/dev/log is not ours")
def test_log_to_syslog():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind("/dev/log")
        try:
            syslog.settimeout(10)
            server = loaded(shim(SL_MAX_CONNECTIONS=9, SL_LEAVE="QUIT@close", SL_LOG="syslog"))
            first, second = syslog.recv(4096).decode(), syslog.recv(4096).decode()
        finally:
            os.unlink("/dev/log")
    assert server.log() == ""
    assert first.startswith("<29>slshim: leaky_prefork[") and "watches its workers" in first
    assert second.startswith("<29>slshim: leaky_prefork[") and " leaves by " in second


def test_log_does_not_go_to_a_client():
    """A daemon closes standard error, and its number is given to a client's connection."""
    environment = os.environ | shim(SL_MAX_CONNECTIONS=2, SL_LEAVE="QUIT@close")
    with subprocess.Popen(
        ["sh", "-c", f"exec {BUILD}/examples/leaky_prefork -w 2 2>&-"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            port = re.match(r"port (\d+)", process.stdout.readline())[1]
            for _ in range(40):
                assert get(f"http://127.0.0.1:{port}/") == "ok\n"
        finally:
            process.terminate()
    assert process.returncode == 0
