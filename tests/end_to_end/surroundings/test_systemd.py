"""Servers in units that systemd confines, by settings that distributions ship: their workers are
recycled by a limit that needs /proc. What cannot work, `slshim check` says beforehand, the manual says,
and so it is. In a Debian 13."""

import re
import shutil

import pytest

from debian import unified_hierarchy
from servers import DEMO, TOP, Missing, growing, wait_until
from units import Machine, has_library, http

pytestmark = pytest.mark.long

LIBRARY = "/usr/local/lib/libslshim.so"
UNIT = f"""[Service]
ExecStart=/usr/bin/gunicorn --chdir /srv/app --workers 4 app:application
Environment=LD_PRELOAD={LIBRARY}
Environment=SL_MAX_UNSHARED=20M
"""
LOAD = http("http://127.0.0.1:8000/")
# gunicorn itself needs a place for files of its workers.
STRICT = "ProtectSystem=strict\nPrivateTmp=yes"


@pytest.fixture(scope="module")
def booted():
    with Machine() as machine:
        machine.write("/etc/systemd/system/app.service", UNIT)
        yield machine


@pytest.fixture
def machine(booted):
    """As it was before the last test."""
    booted.run("journalctl -q --rotate && journalctl -q --vacuum-time=1ms")
    yield booted
    booted.stop("app apache2")
    booted.put_back()


def confine(machine, settings, unit="app"):
    """Writes the drop-in, starts the server, and returns what check says to the unit with it."""
    machine.put(f"/etc/systemd/system/{unit}.service.d/confined.conf", f"[Service]\n{settings}\n")
    machine.run("systemctl daemon-reload")
    done = machine.try_run(f"systemctl cat {unit} | slshim check -f /dev/stdin")
    assert (done.returncode == 1) == ("wrong: " in done.stdout), done.stdout + done.stderr
    machine.try_run(f"systemctl restart {unit}")
    return done.stdout


def wait_until_it_serves(machine, port=8000):
    wait_until(lambda: machine.is_listening(port), f"it listens: {machine.journal('-n 20')}")


def leavings(machine, unit="app"):
    return re.findall(" leaves by .*", machine.journal(f"-u {unit}"))


def expect_recycled(machine, unit="app", load=LOAD, log=leavings):
    machine.load_until(lambda: len(log(machine)) >= 3, lambda: load(machine))
    for line in log(machine):
        assert "over SL_MAX_UNSHARED: " in line and "unshared unknown" not in line
    status = machine.run("slshim status")
    assert f", {unit}.service, " in status and "SL_MAX_UNSHARED" in status
    left = rf'^slshim_workers_left_total\{{.*unit="{unit}.service".*\}} ([1-9]\d*)$'
    assert re.search(left, machine.run("slshim metrics"), re.M)


# ---------------------------------------------------------------- what changes nothing

SETTINGS = [
    "CapabilityBoundingSet=",
    "DynamicUser=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "NoNewPrivileges=yes",
    "PrivateDevices=yes",
    "PrivateTmp=yes",
    "PrivateUsers=yes",
    "ProcSubset=pid",
    "ProtectHome=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    STRICT,
    "RestrictAddressFamilies=AF_INET AF_INET6",
    "RestrictNamespaces=yes",
    "SystemCallFilter=@system-service",
]


def test_manual_has_each_of_them():
    page = (TOP / "man" / "slshim-servers.7").read_text()
    section = page.partition(".Ss Confined units")[2].partition("\nThese do;")[0]
    said = re.findall(r"^\.(?:Ic|Ql) (\w+)", section, re.M)
    assert sorted(said) == sorted({setting.partition("=")[0] for setting in SETTINGS})


@pytest.mark.parametrize("setting", [*SETTINGS, "\n".join(SETTINGS)], ids=[*SETTINGS, "all"])
def test_changes_nothing(machine, setting):
    said = confine(machine, setting)
    assert "wrong: " not in said
    wait_until_it_serves(machine)
    expect_recycled(machine)


CONFINING = "Ambient|Capabil|Lock|Memory|NoNew|Private|ProcSubset|Protect|Remove|Restrict|SystemCall"


def confinement_of(machine, unit):
    """What a package's unit has of such settings."""
    text = machine.read(f"/usr/lib/systemd/system/{unit}.service")
    lines = re.findall(rf"^(?:{CONFINING})\w*=.*$", text, re.M)
    assert len(lines) >= 10
    return "\n".join(lines)


def test_as_redis_is(machine):
    """Its package's are the strictest: no process of another user's, no user but two, no capability,
    and of @system-service not all. Workers of gunicorn, with the library or without, end by a call of
    @privileged."""
    settings = confinement_of(machine, "redis-server")
    forbidden = "SystemCallFilter=~ @privileged @resources"
    assert forbidden in settings and "PrivateUsers=true" in settings
    settings = settings.replace(forbidden, "SystemCallFilter=~@resources")
    assert "wrong: " not in confine(machine, f"{settings}\nUser=redis")
    wait_until_it_serves(machine)
    expect_recycled(machine)


def test_apache_as_others_are(machine):
    """By its own unit; the others start as root, too, and change their user."""
    shutil.copytree(DEMO, machine.root / "srv/demo", dirs_exist_ok=True)
    machine.run("a2dismod -q mpm_event && a2enmod -q mpm_prefork perl")
    handler = growing(preloaded_mb=4, unshared_kb=500).replace(str(DEMO), "/srv/demo")
    handler = re.sub('PerlSetVar Witness .*|PerlChildExitHandler .*', "", handler)
    machine.put("/etc/apache2/conf-enabled/grow.conf", handler)
    settings = [confinement_of(machine, unit) for unit in ("lighttpd", "postfix")]
    assert "ProtectProc=invisible" in settings[0] and "ProcSubset=pid" in settings[1]
    said = confine(
        machine,
        "\n".join(settings)
        + f"\nEnvironment=LD_PRELOAD={LIBRARY} SL_MAX_UNSHARED=20M\nCapabilityBoundingSet=CAP_KILL",
        "apache2",
    )
    assert "wrong: " not in said
    wait_until_it_serves(machine, 80)
    expect_recycled(
        machine,
        "apache2",
        http("http://127.0.0.1/grow"),
        lambda machine: re.findall(" leaves by .*", machine.read("/var/log/apache2/error.log")),
    )


# ------------------------------------------------------------------ what cannot work


@pytest.mark.parametrize(
    "setting, said, loader",
    [
        ("ProtectHome=yes", "ProtectHome=yes hides /home/me/libslshim.so", "cannot open shared object file"),
        ("ProtectHome=tmpfs", "ProtectHome=tmpfs hides /home/me/libslshim.so", "cannot open shared object file"),
        ("InaccessiblePaths=-/home/me", "InaccessiblePaths= hides", "cannot open shared object file"),
        ("NoExecPaths=/\nExecPaths=/usr", "NoExecPaths= forbids", "failed to map segment"),
    ],
)  # fmt: skip
def test_library_that_is_out_of_reach(machine, setting, said, loader):
    """The server runs without it."""
    place = "/home/me/libslshim.so"
    machine.run(f"mkdir -p /home/me && cp {LIBRARY} {place}")
    found = confine(machine, f"Environment=LD_PRELOAD={place}\n{setting}")
    assert said in found.partition("wrong: ")[2]
    wait_until_it_serves(machine)
    LOAD(machine)
    assert not any(map(has_library, machine.processes("app")))
    assert re.search(f"{place}' from LD_PRELOAD cannot be preloaded .{loader}", machine.journal("-u app"))


def test_path_is_executable_again(machine):
    said = confine(machine, "NoExecPaths=/\nExecPaths=/usr/bin /usr/lib /usr/local/lib")
    assert "wrong: " not in said
    wait_until_it_serves(machine)
    expect_recycled(machine)


def test_root_directory(machine):
    """The path is one below it."""
    machine.run("mkdir -p /srv/root && mount --bind / /srv/root && mount -t proc proc /srv/root/proc")
    machine.run("mount -t tmpfs tmpfs /srv/root/usr/local/lib")
    said = confine(machine, "RootDirectory=/srv/root\nMountAPIVFS=yes")
    assert f"would be /srv/root{LIBRARY}, which there is not" in said
    wait_until_it_serves(machine)
    assert not any(map(has_library, machine.processes("app")))
    shutil.copy(machine.root / LIBRARY[1:], machine.root / "srv/root" / LIBRARY[1:])
    assert "wrong: " not in confine(machine, "RootDirectory=/srv/root\nMountAPIVFS=yes")
    wait_until_it_serves(machine)
    expect_recycled(machine)


@pytest.mark.parametrize("denied", ["@timer", "memfd_create"])
def test_filter_that_kills(machine, denied):
    """The server, which runs under it without the library."""
    without = f"SystemCallFilter=~{denied}\nUnsetEnvironment=LD_PRELOAD"
    confine(machine, without)
    wait_until_it_serves(machine)
    machine.load_until(lambda: True, lambda: LOAD(machine))
    said = confine(machine, f"SystemCallFilter=~{denied}")
    assert re.search(r"^wrong: SystemCallFilter= kills the server when the library calls \w+", said, re.M)
    wait_until(
        lambda: machine.try_run("curl -s 127.0.0.1:8000") and "status=31/SYS" in machine.journal("-u app")
        or "signal 31" in machine.journal("-u app") or "SIGSYS" in machine.journal("-u app"),
        f"it is killed: {machine.journal('-u app')}",
    )  # fmt: skip


@pytest.mark.parametrize(
    "filter",
    [
        "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources",
        "SystemCallFilter=~@timer:EPERM",
        "SystemCallFilter=~@timer\nSystemCallErrorNumber=EPERM",
    ],
)
def test_filter_that_does_not_kill(machine, filter):
    assert "wrong: " not in confine(machine, filter)
    wait_until_it_serves(machine)
    expect_recycled(machine)


def test_calls_are_those_of_systemd(machine):
    """check knows which set has which call; systemd's own word on it."""

    def expand(name):
        words = machine.run(f"systemd-analyze syscall-filter {name}").split("\n", 1)[1].split()
        found = set()
        for word in words:
            if word.startswith("@") and word != name:
                found |= expand(word)
            elif not word.startswith("@"):
                found.add(word)
        return found

    source = (TOP / "src" / "cmd" / "confinement.c").read_text()
    rows = re.findall(r'^    \{"([@a-z-]*)",\s*((?:"[a-z0-9_ ]+"\s*)+)\}', source, re.M)
    assert len(rows) == 9
    calls = {name: set(re.findall(r"[a-z_0-9]+", text)) for name, text in rows}
    service = expand("@system-service")
    for name, theirs in calls.items():
        assert theirs <= service
        assert not name or theirs <= expand(name)
    page = (TOP / "man" / "slshim.7").read_text()
    listed = page.partition("may make these calls on Linux:\n")[2].partition(".\n")[0]
    everywhere = expand("@default")
    assert set(re.split(r"[,\s]+", listed)) - everywhere == set().union(*calls.values()) - everywhere


# ------------------------------------------------------------------------------- log


@pytest.mark.parametrize(
    "setting, error", [(STRICT, 30), ("DynamicUser=yes", 30), ("User=www-data", 13)]
)
def test_log_that_cannot_be_written(machine, setting, error):
    """It goes to standard error, and says so. Whom a directory belongs to, check does not know."""
    said = confine(machine, f"Environment=SL_LOG=/var/log/slshim.log\n{setting}")
    assert ("wrong: SL_LOG=/var/log/slshim.log cannot be written" in said) == (error == 30)
    wait_until_it_serves(machine)
    expect_recycled(machine)
    expected = f"SL_LOG=/var/log/slshim.log cannot be opened (error {error}); standard error is used instead"
    assert expected in machine.journal("-u app")


@pytest.mark.parametrize(
    "setting",
    [
        "DynamicUser=yes\nLogsDirectory=app",
        f"{STRICT}\nReadWritePaths=/var/log",
        "DynamicUser=yes\nLogsDirectory=app other\nProtectSystem=strict",
    ],
)
def test_log_that_can_be_written(machine, setting):
    machine.run("rm -rf /var/log/app /var/log/private/app; mkdir -p /var/log/app")
    if "LogsDirectory" in setting:
        machine.run("rmdir /var/log/app")
    said = confine(machine, f"Environment=SL_LOG=/var/log/app/slshim.log\n{setting}")
    assert "wrong: " not in said
    wait_until_it_serves(machine)
    log = "/var/log/app/slshim.log"
    text = lambda machine: re.findall(" leaves by .*", machine.run(f"cat {log}"))  # noqa: E731
    expect_recycled(machine, log=text)


def test_log_in_tmp(machine):
    said = confine(machine, "Environment=SL_LOG=/tmp/slshim.log\nPrivateTmp=yes")
    assert "note: SL_LOG=/tmp/slshim.log is in a directory that nobody else sees" in said
    wait_until_it_serves(machine)
    LOAD(machine)
    assert machine.try_run("test -e /tmp/slshim.log").returncode == 1
    assert machine.run("cat /tmp/systemd-private-*-app.service-*/tmp/slshim.log")


@pytest.mark.parametrize("families, lost", [("AF_INET AF_INET6", True), ("AF_INET AF_UNIX", False)])
def test_syslog(machine, families, lost):
    said = confine(machine, f"Environment=SL_LOG=syslog\nRestrictAddressFamilies={families}")
    assert ("wrong: SL_LOG=syslog needs AF_UNIX" in said) == lost
    wait_until_it_serves(machine)
    left = r'^slshim_workers_left_total\{.*unit="app.service".*\} [1-9]'
    machine.load_until(lambda: re.search(left, machine.run("slshim metrics"), re.M), lambda: LOAD(machine))
    assert (" leaves by " in machine.journal("-t slshim")) != lost


def test_null(machine):
    """As the unit of Debian's spamd has it."""
    expected = "note: nobody sees the log, because standard error is null"
    assert expected in confine(machine, "StandardError=null")
    said = machine.try_run("systemctl cat spamd | slshim check -f /dev/stdin").stdout
    assert expected in said


# ----------------------------------------------------------------------------- memory


SHARE = "Environment=SL_MAX_RSS=50%%\nProcSubset=pid"


def test_share_of_the_memory(machine):
    assert "wrong: with ProcSubset=pid a share of the memory is unknown" in confine(machine, SHARE)
    wait_until_it_serves(machine)
    assert "SL_MAX_RSS has no effect: it is a share of the memory" in machine.journal("-u app")


def test_share_of_the_unit_s_memory(machine):
    assert "wrong: " not in confine(machine, f"{SHARE}\nMemoryMax=1G")
    if "memory" not in (unified_hierarchy() / "cgroup.controllers").read_text().split():
        raise Missing("the kernel's controller of memory, which control groups of version 1 have here")
    wait_until_it_serves(machine)
    assert "SL_MAX_RSS=524288 KB" in machine.journal("-u app")


# ---------------------------------------------------------------------- examples/*.timer


def test_metrics_by_the_timer(machine):
    """As examples/slshim-metrics.service says: what Prometheus would scrape has this pool."""
    for kind in ("service", "timer"):
        text = (TOP / "examples" / f"slshim-metrics.{kind}").read_text()
        machine.put(f"/etc/systemd/system/slshim-metrics.{kind}", text)
    confine(machine, "ProtectProc=invisible\nPrivateUsers=yes\nDynamicUser=yes")
    wait_until_it_serves(machine)
    expect_recycled(machine)
    machine.run("systemctl start prometheus-node-exporter")
    machine.run("systemctl enable --now slshim-metrics.timer")
    left = r'^slshim_workers_left_total\{.*unit="app.service".*\} [1-9]'
    wait_until(
        lambda: re.search(left, machine.try_run("curl -s http://127.0.0.1:9100/metrics").stdout, re.M),
        "the timer has come, within a minute and its accuracy",
        90,
    )
    assert machine.property("slshim-metrics", "Result") == "success"
    assert machine.property("slshim-metrics", "NRestarts") == "0"
    machine.run("systemctl disable --now slshim-metrics.timer prometheus-node-exporter")
