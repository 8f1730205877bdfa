"""slshim check: what the library would make of settings, wherever they come from, and how the workers
of a command would leave. What systemd makes of the same files systemd itself is asked."""

import contextlib
import os
import random
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from servers import BUILD, LIBRARY, LeakyPrefork, Missing, as_root, tool, wait_until

COMMAND = BUILD / "slshim"
GOOD = {"LD_PRELOAD": str(LIBRARY), "SL_MAX_UNSHARED": "50M"}
SOUND = f"LD_PRELOAD={LIBRARY}\nSL_MAX_UNSHARED=50M\n"


def check(*words, text=None, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SL_") and k != "LD_PRELOAD"}
    return subprocess.run(
        [str(COMMAND), "check", *map(str, words)],
        env=clean | {"LD_BIND_NOW": ""} | environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=20,
    )


def check_file(tmp_path, text, *words, name="settings"):
    path = tmp_path / name
    path.write_text(text)
    return check("-f", path, *words)


def is_fine(done):
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "wrong: " not in done.stdout
    return True


def is_wrong(done, *said):
    assert (done.returncode, done.stderr) == (1, ""), done.stdout + done.stderr
    for text in said:
        assert any(line.startswith("wrong: ") and text in line for line in done.stdout.splitlines()), (
            done.stdout
        )
    return True


# ------------------------------------------------------------------------ variables

# A value of each variable that is accepted, how it is understood, and one that is refused.
VALUES = {
    "SL_STATUS": ("/run/slshim", "SL_STATUS=/run/slshim", "relative"),
    "SL_STATUS_MODE": ("0640", None, "0777"),
    "SL_MAX_SIZE": ("1G", "SL_MAX_SIZE=1048576 KB", "1X"),
    "SL_MAX_RSS": ("200m", "SL_MAX_RSS=204800 KB", "-1"),
    "SL_MAX_UNSHARED": ("12000", "SL_MAX_UNSHARED=12000 KB", "1.5M"),
    "SL_MIN_SHARED": ("10M", "SL_MIN_SHARED=10240 KB", "much"),
    "SL_MAX_PSS": ("1T", "SL_MAX_PSS=1073741824 KB", "101%"),
    "SL_MAX_SWAP": ("1k", "SL_MAX_SWAP=1 KB", "1KB"),
    "SL_MAX_GROWTH": ("5M", "SL_MAX_GROWTH=5120 KB", "5 M"),
    "SL_MAX_CONNECTIONS": ("10", "SL_MAX_CONNECTIONS=10", "10k"),
    "SL_MAX_REQUESTS": ("10", "SL_MAX_REQUESTS=10", "ten"),
    "SL_MAX_AGE": ("1h", "SL_MAX_AGE=3600.00 s", "1w"),
    "SL_MAX_CPU": ("60", "SL_MAX_CPU=60.00 s", "60ms"),
    "SL_MAX_FDS": ("100", "SL_MAX_FDS=100", "0x10"),
    "SL_MAX_POOL": ("2G", "SL_MAX_POOL=2097152 KB", "2G2"),
    "SL_CHECK_EVERY": ("3", "SL_CHECK_EVERY=3", "0"),
    "SL_PROBE": ("smaps", "SL_PROBE=smaps", "fast"),
    "SL_PROBE_BUDGET": ("2%", "SL_PROBE_BUDGET=2%", "2"),
    "SL_LEAVE": ("exit:3@idle", None, "exit"),
    "SL_MAX_LEAVING": ("5%", "SL_MAX_LEAVING=5%", "5%%"),
    "SL_REPLACE_TIMEOUT": ("15s", "SL_REPLACE_TIMEOUT=15s", "0"),
    "SL_DRAIN_TIMEOUT": ("1m", "SL_DRAIN_TIMEOUT=60s", "forever"),
    "SL_OVERDUE": ("leave", "SL_OVERDUE=leave", "go"),
    "SL_ONLY": ("httpd,php-fpm*", "SL_ONLY=httpd,php-fpm*", "a/b"),
    "SL_LISTEN": ("8080,/run/x.sock", "SL_LISTEN=8080,/run/x.sock", "70000"),
    "SL_STRIKES": ("2", "SL_STRIKES=2", "0"),
    "SL_MIN_AGE": ("10s", "SL_MIN_AGE=10s", "young"),
    "SL_JITTER": ("20%", "SL_JITTER=20%", "91%"),
    "SL_PRESSURE": ("10%", "SL_PRESSURE=10%", "101%"),
    "SL_THP": ("never", "SL_THP=never", "always"),
    "SL_KSM": ("1", "SL_KSM=1", "yes"),
    "SL_TRIM": ("1", "SL_TRIM=1", "2"),
    "SL_APPLICATION": ("1", "SL_APPLICATION=1", "on"),
    "SL_DRY_RUN": ("1", "SL_DRY_RUN=1", "true"),
    "SL_LOG": ("/var/log/x", None, "relative"),
    "SL_STRICT": ("1", None, "-"),
}


def variables():
    """Those of the table, as the command names them."""
    done = subprocess.run([COMMAND, "run", "--help"], capture_output=True, text=True, timeout=20)
    options = re.findall(r"^--([-a-z]+)", done.stdout, re.MULTILINE)
    return {"SL_" + option.upper().replace("-", "_") for option in options} - {"SL_FORCE", "SL_HELP"}


def test_each_variable_has_a_row():
    assert set(VALUES) == variables()


@pytest.mark.parametrize("variable", VALUES)
def test_variable_is_accepted(variable):
    value, understood, _ = VALUES[variable]
    done = check(**GOOD | {variable: value})
    assert is_fine(done)
    line = next(line for line in done.stdout.splitlines() if line.startswith("understood: "))
    assert understood is None or f" {understood} " in f"{line} "


@pytest.mark.parametrize("variable", VALUES)
def test_variable_is_refused(variable, tmp_path):
    """In the environment as in a file, with the words of the library."""
    refused = VALUES[variable][2]
    for done in (
        check(**GOOD | {variable: refused}),
        check_file(tmp_path, SOUND + f"{variable}={refused}\n"),
    ):
        assert is_wrong(done, f'{variable}="{refused}" is refused and slshim is off; accepted: ')
        assert "understood" not in done.stdout


def test_unknown_variable():
    assert is_wrong(check(**GOOD, SL_MAX_UNSHARD="1M"), "SL_MAX_UNSHARD is ignored", "SL_MAX_UNSHARED")


def test_more_remarks_than_fit():
    wrong = {f"SL_NONE_{i}": "1" for i in range(20)}
    done = check(**GOOD | wrong | {name: row[2] for name, row in VALUES.items()})
    assert is_wrong(done, "more values or variables are refused or unknown")


def test_no_limit():
    assert is_wrong(check(LD_PRELOAD=str(LIBRARY)), "no limit is set")


def test_share_of_memory():
    done = check(**GOOD | {"SL_MAX_UNSHARED": "5%"})
    assert is_fine(done)
    found = re.search(r"SL_MAX_UNSHARED=(\d+) KB \(5%\)", done.stdout)
    of = re.search(r"shares are of (\d+) KB", done.stdout)
    assert found and of and abs(int(found[1]) - int(of[1]) * 0.05) <= 2


def test_control_characters():
    done = check(**GOOD | {"SL_LISTEN": "/a\x1b[31mb", "SL_X\x1b[1m": "1"})
    assert "\x1b" not in done.stdout + done.stderr


# ----------------------------------------------------------------------- preloading


@pytest.mark.parametrize(
    ("preload", "wrong", "noted"),
    [
        ("", "LD_PRELOAD does not name libslshim.so", None),
        ("/lib/libjemalloc.so.2", "LD_PRELOAD does not name libslshim.so", None),
        ("/lib/libslshim.so/other.so", "LD_PRELOAD does not name libslshim.so", None),
        ("/lib/libslshim.so.old/x", "LD_PRELOAD does not name libslshim.so", None),
        ("/none/libslshim.so", "/none/libslshim.so: No such file", None),
        ("libslshim.so.0", None, None),
        (f"{LIBRARY} /lib/other.so", None, None),
        (f"/lib/other.so:{LIBRARY}", None, "behind other libraries"),
    ],
)
def test_preloaded(preload, wrong, noted):
    """The command runs without it: it would have to be found by the loader."""
    environment = {"SL_MAX_RSS": "1G"}
    text = f"SL_MAX_RSS=1G\nLD_PRELOAD={preload}\n"
    done = check("-f", "/dev/stdin", text=text, **environment)
    assert is_wrong(done, wrong) if wrong else is_fine(done)
    assert noted is None or noted in done.stdout
    assert ("note: " in done.stdout) == (noted is not None)


# ---------------------------------------------------------------------------- files


def test_environment_is_not_mixed_with_a_file(tmp_path):
    path = tmp_path / "settings"
    path.write_text(SOUND)
    done = check("-f", path, SL_MAX_RSS="wrong")
    assert is_fine(done)
    assert "SL_MAX_RSS" not in done.stdout


def test_percent_sign(tmp_path):
    """Doubled in a unit, and only there."""
    environment_file, unit = SOUND, f"[Service]\nEnvironment=LD_PRELOAD={LIBRARY} SL_MAX_RSS=1G\n"
    assert is_fine(check_file(tmp_path, environment_file + "SL_MAX_LEAVING=5%\n"))
    done = check_file(tmp_path, environment_file + "SL_MAX_LEAVING=5%%\n")
    assert is_wrong(done, 'SL_MAX_LEAVING="5%%"') and "and nowhere else" in done.stdout
    assert is_fine(check_file(tmp_path, unit + "Environment=SL_MAX_LEAVING=5%%\n"))
    done = check_file(tmp_path, unit + 'Environment="SL_LISTEN=/run/%n.sock"\n')
    assert is_wrong(done, "systemd replaces a", "SL_LISTEN=/run/%n.sock")


def test_unit_with_its_files(tmp_path):
    """Later files win, and over the unit; what is unset is gone; one with "-" need not be there."""
    first, second = tmp_path / "first.env", tmp_path / "second.env"
    first.write_text("SL_MAX_RSS=1G\nSL_MAX_SIZE=1G\n")
    second.write_text("SL_MAX_RSS=2G\nSL_MAX_FDS=7\n")
    unit = f"""
[Unit]
Description=A server
[Service]
EnvironmentFile={first}
EnvironmentFile=-{tmp_path}/none.env
EnvironmentFile=-{tmp_path}/second*
Environment=SL_MAX_RSS=3G LD_PRELOAD={LIBRARY} \\
# a comment
    SL_MAX_CPU=1h
UnsetEnvironment=SL_MAX_FDS
PassEnvironment=SL_STRICT
ExecStart=-/usr/bin/env true
"""
    done = check_file(tmp_path, unit)
    assert is_fine(done)
    assert "understood: SL_MAX_SIZE=1048576 KB SL_MAX_RSS=2097152 KB SL_MAX_CPU=3600.00 s SL_CHECK" in (
        done.stdout
    )
    assert "SL_STRICT comes from systemd's own environment" in done.stdout
    assert "true: its workers leave by _exit@idle (by default)" in done.stdout
    assert is_wrong(check_file(tmp_path, unit.replace("=-", "=")), "none.env: there is no such file")


def test_drop_in_after_unit(tmp_path):
    """As `systemctl cat` has them, or as files."""
    unit = "[Service]\nExecStart=/usr/bin/true\nEnvironment=SL_MAX_RSS=x\n"
    drop_in = f"[Service]\nEnvironment=\nEnvironment=LD_PRELOAD={LIBRARY} SL_MAX_RSS=1G\n"
    (tmp_path / "a").write_text(unit)
    (tmp_path / "b").write_text(drop_in)
    assert is_fine(check("-f", tmp_path / "a", "-f", tmp_path / "b"))
    assert is_fine(check("-f", "/dev/stdin", text=f"# /lib/a\n{unit}\n# /etc/b\n{drop_in}"))
    assert is_wrong(check("-f", tmp_path / "b", "-f", tmp_path / "a"), 'SL_MAX_RSS="x"')


@pytest.mark.parametrize("prefix", ["", "-", ":", "+", "!", "!!", "-:+", "@"])
def test_prefix_of_a_command(prefix, tmp_path):
    name = "name " if prefix == "@" else ""
    text = f"[Service]\nEnvironment=LD_PRELOAD={LIBRARY} SL_MAX_RSS=1G\n"
    done = check_file(tmp_path, text + f"ExecStart={prefix}/usr/bin/true {name}$X\n")
    assert is_fine(done)
    assert f"{name.strip() or 'true'}: its workers leave" in done.stdout


def test_envvars_of_apache(tmp_path):
    """Debian's own file, with lines of ours at its end."""
    before = Path("/etc/apache2/envvars")
    if not before.exists():
        raise Missing("apache2 is not installed")
    text = before.read_text()
    done = check_file(tmp_path, text + f"export LD_PRELOAD={LIBRARY}\nexport SL_MAX_UNSHARED=50M\n")
    assert is_fine(done)
    assert "SL_MAX_UNSHARED=51200 KB" in done.stdout
    done = check_file(tmp_path, text + f"export LD_PRELOAD={LIBRARY}\nSL_MAX_UNSHARED=50M\n")
    assert is_wrong(done, "SL_MAX_UNSHARED is set but not exported", "no limit is set")


DAMAGED = {
    "random": random.Random(1).randbytes(4096),
    "cut": b'[Service]\nEnvironment="SL_MAX_RSS=1G\nEnvironment=SL_MAX_PSS=1G \\',
    "nul": b"SL_MAX_RSS=1G\n\0\0",
    "escapes": b"[Service]\nEnvironment=SL_MAX_RSS=\\xZZ \\",
    "no line end": b"SL_MAX_RSS",
    "controls": b"SL_MAX_RSS=\x1b[31m\x07\nset SL_X=\x1b[0m\n",
    "long": b"SL_MAX_RSS=" + b"9" * 100000,
    "program": Path("/bin/true").read_bytes(),
    "empty": b"",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_file(kind, tmp_path):
    path = tmp_path / "settings"
    path.write_bytes(DAMAGED[kind])
    done = check("-f", path)
    assert is_wrong(done)
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-f", "/no/such/file"], "/no/such/file: No such file"),
        (["-f", "/"], "/: Is a directory"),
        (["-f", "/dev/zero"], "/dev/zero: File too large"),
        (["-f"], "-f wants a file; accepted: a unit"),
        (["-x"], "-x is no option; accepted: -f FILE"),
    ],
)
def test_own_failure(words, said):
    done = check(*words)
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr.startswith("slshim: ") and done.stderr.count("\n") == 1 and said in done.stderr


def test_full_disk():
    with open("/dev/full", "w") as full:
        done = subprocess.run([COMMAND, "check"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 125 and "standard output: No space" in done.stderr


# ------------------------------------------------------------------ units that are confined


# What systemd does under some of these: surroundings/test_systemd.py.
@pytest.mark.parametrize(
    "settings, said",
    [
        ("InaccessiblePaths=/nowhere -{directory}", "wrong: InaccessiblePaths= hides {library}"),
        ("InaccessiblePaths={directory}\nInaccessiblePaths=", None),
        ("InaccessiblePaths={directory}x", None),
        ("NoExecPaths=/\nExecPaths={directory}/", None),
        ("NoExecPaths={library}\nExecPaths=/", "wrong: NoExecPaths= forbids that {library}"),
        ("RootDirectory=/nowhere", "wrong: with RootDirectory=/nowhere the library would be /nowhere{library}"),
        ("RootDirectory=/", None),
        ("DynamicUser=no\nEnvironment=SL_LOG=/var/log/x", None),
        ("ProtectSystem=strict\nProtectSystem=full\nEnvironment=SL_LOG=/var/log/x", None),
        ("DynamicUser=1\nEnvironment=SL_LOG=/var/log/x", "wrong: SL_LOG=/var/log/x cannot be written"),
        ("DynamicUser=1\nEnvironment=SL_LOG=/dev/shm/x", None),
        ("DynamicUser=1\nEnvironment=SL_STATUS=/run/x", "wrong: SL_STATUS=/run/x cannot be written"),
        ("DynamicUser=1\nRuntimeDirectory=y x\nEnvironment=SL_STATUS=/run/x", None),
        ("RestrictAddressFamilies=~AF_UNIX\nEnvironment=SL_LOG=syslog", "wrong: SL_LOG=syslog needs AF_UNIX"),
        ("RestrictAddressFamilies=~AF_NETLINK\nEnvironment=SL_LOG=syslog", None),
        ("RestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=AF_UNIX\nEnvironment=SL_LOG=syslog", None),
        ("StandardOutput=null\nStandardError=inherit", "note: nobody sees the log"),
        ("StandardOutput=null\nStandardError=journal", None),
        ("StandardError=null\nEnvironment=SL_LOG=syslog", None),
        ("SystemCallFilter=@basic-io read", "wrong: SystemCallFilter= kills the server when the library calls access"),
        ("SystemCallFilter=@basic-io\nSystemCallFilter=@system-service", None),
        ("SystemCallFilter=@system-service\nSystemCallFilter=~@ipc", "calls memfd_create"),
        ("SystemCallFilter=~@ipc\nSystemCallFilter=memfd_create", None),
        ("SystemCallFilter=~@ipc\nSystemCallFilter=", None),
        ("SystemCallFilter=~kcmp", "calls kcmp"),
        ("SystemCallFilter=~kcmp:EPERM @mount", None),
        ("SystemCallFilter=~kcmp\nSystemCallErrorNumber=EPERM", None),
        ("SystemCallFilter=~kcmp\nSystemCallErrorNumber=kill", "calls kcmp"),
    ],
)  # fmt: skip
def test_confined_unit(settings, said, tmp_path):
    unit = f"[Service]\nEnvironment=LD_PRELOAD={LIBRARY} SL_MAX_UNSHARED=50M\n"
    names = {"directory": LIBRARY.parent, "library": LIBRARY}
    done = check_file(tmp_path, unit + settings.format(**names) + "\n")
    if said:
        assert said.format(**names) in done.stdout
    else:
        assert is_fine(done) and "note: " not in done.stdout


def test_confined_elsewhere(tmp_path):
    """Only a service is confined."""
    unit = f"[Service]\nEnvironment=LD_PRELOAD={LIBRARY} SL_MAX_UNSHARED=50M\n[Socket]\nSystemCallFilter=~kcmp\n"
    assert is_fine(check_file(tmp_path, unit))


# ------------------------------------------------------------------ systemd's own word

SYSTEMD = Path("/lib/systemd/systemd")
GENERATOR = Path("/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator")
PIECES = [
    *["A", "b1", "_", " ", " ", "\t", '"', "'", '"x y"', "'x y'", "\\\\", "\\s", "\\x41", "\\101", "%%"],
    *["%%", "%,", "$", "${X}", "#", ";", "=", "-", "/", "\\\n ", "\\\n# c\n", "\\u00e9", "\\q"],
]


def shown(*paths):
    """What our reader makes of them: by letter, see tests/show_settings.c."""
    done = subprocess.run([BUILD / "tests/show_settings", *paths], capture_output=True, check=True)
    texts = [text.decode(errors="surrogateescape") for text in done.stdout.split(b"\0")[:-1]]
    return {letter: [text[1:] for text in texts if text[0] == letter] for letter in "VPCWN"}


def systemd_says(directory, unit, what="Environment"):
    """What the user manager has understood, by its test mode; it does not run as root."""
    if not SYSTEMD.exists():
        raise Missing("systemd is not installed")
    (directory / "x.service").write_text(unit)
    done = subprocess.run(
        [SYSTEMD, "--test", "--user", "--unit=x.service"],
        env={
            "HOME": str(directory),
            "XDG_RUNTIME_DIR": str(directory),
            "SYSTEMD_UNIT_PATH": str(directory),
            "SYSTEMD_LOG_TARGET": "console",
        },
        **({"user": 65534, "group": 65534, "extra_groups": []} if as_root() else {}),
        capture_output=True,
        timeout=60,
    )
    output = done.stdout.decode(errors="surrogateescape")
    arrow = "(?:->|→)"  # newer ones write the latter
    found = re.search(rf"{arrow} Unit x\.service:\n(.*?)(?:\t{arrow} Unit |\Z)", output, re.DOTALL)
    assert found, output + done.stderr.decode(errors="replace")
    return re.findall(rf"^\t+{what}: (.*)$", found[1], re.MULTILINE)


@pytest.fixture
def open_directory():
    """That another user may write to."""
    path = Path(f"/tmp/slshim-{os.getpid()}-{random.randrange(1 << 32):x}")
    path.mkdir()
    if as_root():
        os.chown(path, 65534, 65534)
    yield path
    shutil.rmtree(path)


def lines_of(chance, count):
    for i in range(count):
        pieces = "".join(chance.choices(PIECES, k=chance.randrange(1, 9)))
        yield f"V{i}={pieces}"


@pytest.mark.parametrize("seed", range(8))
def test_unit_is_read_as_systemd_does(seed, open_directory):
    """Of random lines, a variable each, every one is the same, or both leave it out."""
    chance = random.Random(seed)
    # A backslash at the end of such a line would join it with the next one.
    lines = [line for line in lines_of(chance, 60) if not line.rstrip().endswith("\\")]
    unit = "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n"
    unit += "".join(f"Environment={line}\n" for line in lines)
    theirs = systemd_says(open_directory, unit)
    ours = shown(open_directory / "x.service")
    assert len(theirs) > 20
    assert sorted(ours["V"]) == sorted(theirs)


@pytest.mark.parametrize("seed", range(8))
def test_command_is_read_as_systemd_does(seed, open_directory):
    """Of random words; with a colon before it, variables stay as they are."""
    chance = random.Random(seed)
    # Without those that make the whole unit bad: quotes that are not closed, and lone semicolons.
    pieces = [piece for piece in PIECES if piece not in ('"', "'", ";", "\t", "\\u00e9")]
    words = "".join(chance.choices([*pieces, " \\; "], k=12)).rstrip("\\") + " ; /bin/false"
    unit = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/echo\nExecStart=\n"
    theirs = systemd_says(open_directory, unit + f"ExecStart=:/bin/true {words}\n", "Command Line")
    ours = shown(open_directory / "x.service")
    assert [re.sub(r"\\([$`])", r"\1", word) for word in shlex.split(theirs[0])] == ours["C"]


def unquoted(text):
    """As the generator writes values: for a shell, with escapes of C's."""
    if not text.startswith('"'):
        return text
    inner = re.sub(r"\\([$`])", r"\1", text[1:-1])
    return re.sub(
        r"\\(x[0-9a-f]{2}|[0-7]{3}|.)",
        lambda found: {"n": "\n", "t": "\t", "s": " ", "a": "\a"}.get(
            found[1], chr(int(found[1], 8)) if len(found[1]) == 3 and found[1].isdigit() else found[1]
        ),
        inner,
    )


@pytest.mark.parametrize("seed", range(8))
def test_environment_file_is_read_as_systemd_does(seed, tmp_path):
    """Its generator reads the same format, but expands variables: without dollar signs."""
    if not GENERATOR.exists():
        raise Missing("systemd is not installed")
    chance = random.Random(seed)
    lines = [line.replace("$", "+") for line in lines_of(chance, 60)]
    lines = [line for line in lines if line.count('"') % 2 == 0 and line.count("'") % 2 == 0]
    lines += ["# comment", "; SL_A=1", "  SPACED = x y ", 'MANY="1\n2" 3', "C='\\q'"]
    text = "".join(f"{line}\n" for line in lines)
    (tmp_path / "environment.d").mkdir()
    (tmp_path / "environment.d" / "x.conf").write_text(text)
    done = subprocess.run(
        [GENERATOR], env={"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}, capture_output=True
    )
    theirs = dict(line.split("=", 1) for line in done.stdout.decode().splitlines() if "=" in line)
    ours = dict(one.split("=", 1) for one in shown(tmp_path / "environment.d" / "x.conf")["V"])
    compared = [name for name in ours if name in theirs]
    assert len(compared) > 20
    for name in compared:
        assert ours[name] == unquoted(theirs[name]), name
    for name in set(ours) - set(theirs):
        assert ours[name] == "", name  # the generator, unlike services, leaves out what is empty


# ------------------------------------------------------------------------- commands


def told(*command, **environment):
    """What is said of how workers leave."""
    done = check(*command, **GOOD | environment)
    assert is_fine(done)
    return [line for line in done.stdout.splitlines() if ": its workers " in line], done.stdout


PROGRAMS = {
    ("apache2",): ["USR1@close (httpd prefork)", "pod@accept (httpd worker, event)"],
    ("nginx", "-g", "daemon off;"): ["QUIT@close (nginx)"],
    ("lighttpd", "-D"): ["INT@accept (lighttpd)"],
    ("php-fpm",): ["QUIT@accept (php-fpm)"],
    ("php", "-S", "127.0.0.1:80"): ["stay (php -S)"],
    ("php", "server.php"): ["_exit@idle (by default), one of them on trial first"],
    ("true",): ["_exit@idle (by default), one of them on trial first"],
    ("uwsgi",): ["stay (uWSGI with threads)", "HUP@close (uWSGI), one of them on trial first"],
    ("gunicorn", "app"): ["TERM@accept (gunicorn gevent; gunicorn gthread; ", "stay (gunicorn)"],
    ("/usr/bin/python3", "-m", "gunicorn"): ["TERM@accept (gunicorn gevent; ", "stay (gunicorn)"],
    ("starman",): ["HUP@accept (Starman)"],
    ("plackup", "-s", "Starlet"): ["TERM@close (Starlet)"],
    ("plackup",): ["_exit@idle (by default), one of them on trial first"],
    ("unicorn",): ["QUIT@close (unicorn)"],
    ("puma",): ["TERM@accept (puma)"],
    ("spamd",): ["exit@close (spamd)"],
    ("pgpool",): ["exit:1@idle (pgpool-II)"],
    ("haproxy",): ["stay (haproxy)"],
    ("krb5kdc",): ["stay (krb5kdc)"],
    ("/usr/lib/postfix/sbin/master",): ["exit@accept (Postfix smtpd)"],
    ("/usr/lib/postfix/sbin/smtpd",): ["exit@accept (Postfix smtpd)"],
    ("/usr/sbin/dovecot", "-F"): ["stay (Dovecot)"],
    ("ruby", "/usr/bin/bundle", "exec", "puma"): ["TERM@accept (puma)"],
    ("env", "-u", "X", "Y=1", "nginx"): ["QUIT@close (nginx)"],
}


def installed(program):
    with contextlib.suppress(Missing):
        return tool(program)
    candidates = sorted(Path("/usr/sbin").glob(f"{program}*")) + sorted(Path("/usr/bin").glob(f"{program}*"))
    if not candidates:
        raise Missing(f"{program} is not installed")
    return str(candidates[0])


@pytest.mark.parametrize("command", PROGRAMS, ids=" ".join)
def test_program(command):
    first = installed(command[0])
    lines, _ = told(first, *command[1:])
    assert len(lines) == len(PROGRAMS[command]), lines
    for line, expected in zip(lines, PROGRAMS[command]):
        assert re.search(r"its workers (leave by )?" + re.escape(expected), line), line
        assert ("on trial first" in line) == ("on trial first" in expected)


def test_renamed_program(tmp_path):
    """Known by what its image exports and contains."""
    for program, expected in (("apache2", "httpd prefork"), ("php-fpm", "php-fpm"), ("nginx", "nginx")):
        copy = tmp_path / f"my_{program[:3]}"
        shutil.copy(installed(program), copy)
        lines, _ = told(copy)
        assert expected in lines[0] and f"my_{program[:3]}: " in lines[0]


def test_name_that_is_only_a_name(tmp_path):
    """httpd is known by what it exports."""
    shutil.copy("/bin/true", tmp_path / "apache2")
    lines, _ = told(tmp_path / "apache2")
    assert "by default" in lines[0]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("#!/usr/bin/perl -wT", "HUP@accept (Starman)"),
        ("#! /usr/bin/env perl", "HUP@accept (Starman)"),
        ("#!/usr/bin/env -S perl -w", "HUP@accept (Starman)"),
    ],
)
def test_script(head, expected, tmp_path):
    script = tmp_path / "starman"
    script.write_text(f"{head}\n1;\n")
    script.chmod(0o755)
    lines, _ = told(script, "--workers", "4")
    assert len(lines) == 1 and lines[0] == f"starman: its workers leave by {expected}"


def test_script_of_an_unknown_server(tmp_path):
    script = tmp_path / "server"
    script.write_text("#!/usr/bin/python3\n")
    script.chmod(0o755)
    lines, said = told(script)
    assert "server: its workers leave by _exit@idle (by default)" in lines[0]
    assert "note: if it loads one of the servers" in said


def test_script_of_the_shell(tmp_path):
    script = tmp_path / "start"
    script.write_text("#!/bin/sh\nexec apache2\n")
    script.chmod(0o755)
    for command in ([script], ["nice", script], ["env", "X=1", "setsid", tool("apache2")]):
        lines, said = told(*command)
        assert not lines and f"note: {command[0]} starts other programs" in said


def test_way_that_the_user_sets():
    lines, _ = told(tool("apache2"), SL_LEAVE="exit:3@accept")
    assert lines == ["apache2: its workers leave by exit:3@accept (SL_LEAVE)"]
    lines, _ = told("true", SL_LEAVE="none")
    assert lines == ["true: its workers stay (SL_LEAVE)"]


def test_program_that_is_left_out():
    assert "note: SL_ONLY leaves true itself alone" in told("true", SL_ONLY="httpd,nginx")[1]
    assert "SL_ONLY leaves" not in told("true", SL_ONLY="httpd,t*")[1]


def test_program_that_cannot_be():
    assert is_wrong(check("no_such_command", **GOOD), "no_such_command: No such file")
    assert is_wrong(check("/etc/passwd", **GOOD), "/etc/passwd: Permission denied")
    assert is_wrong(check("/tmp", **GOOD), "/tmp: Permission denied")


def test_static_program(tmp_path):
    source, program = tmp_path / "program.c", tmp_path / "program"
    source.write_text("int main(void) { return 0; }\n")
    subprocess.run([tool("gcc"), "-static", "-o", program, source], check=True)
    assert is_wrong(check(program, **GOOD), f"{program}: it is linked statically")


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 4096, 50000])
def test_damaged_program(size, tmp_path):
    """A program that is cut anywhere: something is said, and nothing else happens."""
    program = tmp_path / "program"
    program.write_bytes(Path(tool("apache2")).read_bytes()[:size])
    program.chmod(0o755)
    assert check(program, **GOOD).returncode in (0, 1)


def test_run_in_a_unit(tmp_path):
    """`slshim run` sets variables, and preloads the library by itself."""
    unit = f"[Service]\nEnvironment=SL_MAX_RSS=1G\nExecStart={COMMAND} run --max-fds=9 -- /bin/true x\n"
    done = check_file(tmp_path, unit)
    assert is_fine(done)
    assert "understood: SL_MAX_RSS=1048576 KB SL_MAX_FDS=9 " in done.stdout
    assert "true: its workers leave" in done.stdout
    done = check(COMMAND, "--max-rss=2G", "--", "true")
    assert is_fine(done) and "SL_MAX_RSS=2097152 KB" in done.stdout
    done = check(COMMAND, "run", "--max-rss=x", "--", "true")
    assert done.returncode == 1 and "--max-rss=x is refused" in done.stderr


# ----------------------------------------------------------------- the library's word


def test_what_is_said_is_so():
    """What check says of the settings of a server the library says of it, too, when it runs."""
    environment = GOOD | {"SL_MAX_CONNECTIONS": "100", "SL_MAX_LEAVING": "2", "SL_TRIM": "1"}
    lines, said = told(BUILD / "examples/leaky_prefork", **environment)
    with LeakyPrefork(environment, workers=2, preloaded_mb=1) as server:
        line = wait_until(lambda: re.search(r".* watches its workers: .*", server.log()), "its first line")[0]
    assert re.search(r"understood: (.*)", said)[1] in line
    assert re.search(r"leave by (\S+) \(by default\)", lines[0])[1] in line
