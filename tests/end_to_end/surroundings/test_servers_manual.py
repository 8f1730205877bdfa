"""slshim-servers(7): each of its examples, as it stands there, where the manual says that it goes, in
a Debian 13 with that server's package. Of an example only the limit is another one, which comes soon:
the library is then in the workers, and they leave under load, of which nothing fails."""

import re
import subprocess
from dataclasses import dataclass

import psutil
import pytest

from servers import LIBRARY as LIBRARY_BUILT
from servers import (
    TOP, Missing, Server, ab, accepts, as_root, free_port, load_until_left, tool, wait_until
)  # fmt: skip
from units import APPLICATIONS, Machine, has_library, http, script

pytestmark = pytest.mark.long

PAGE = (TOP / "man" / "slshim-servers.7").read_text()
LIBRARY = "/usr/local/lib/libslshim.so"


# ------------------------------------------------------------------------- the page


@dataclass
class Example:
    path: str  # the file, or None of commands
    text: str


def with_early_limit(text):
    for name in ("SL_MAX_UNSHARED", "--max-unshared"):
        text = text.replace(name, name.replace("UNSHARED", "CONNECTIONS").replace("unshared", "connections"))
    return text.replace("50M", "20")


def examples():
    """By section, in their order."""
    found = {}
    for title, section in re.findall(r"^\.S[hs] (.*?)\n(.*?)(?=^\.S[hs] |\Z)", PAGE, re.M | re.S):
        at = 0
        for block in re.finditer(r"^\.Bd -literal.*?\n(.*?)^\.Ed\n", section, re.M | re.S):
            text = with_early_limit(block[1].replace("\\e\n", "\\\n"))
            paths = re.findall(r"^\.Pa (\S+)", section[at : block.start()], re.M)
            is_command = text.startswith("# ")
            path = None if is_command else paths[-1]
            text = re.sub("^# ", "", text, flags=re.M) if is_command else text
            found.setdefault(title, []).append(Example(path, text))
            at = block.end()
    return found


EXAMPLES = examples()
(DROP_IN, COMMANDS) = EXAMPLES["UNITS OF SYSTEMD"]
TABLE = re.findall(r"^\.It (?!Sy)(.*?) Ta (.*?) Ta (.*)$", PAGE, re.M)


# ---------------------------------------------------------------------- the servers

SMTP = """python3 -c '
import smtplib
for _ in range(100):
    with smtplib.SMTP("127.0.0.1", 25, timeout=20) as client:
        assert client.noop()[0] == 250
'"""
IMAP = """python3 -c '
import imaplib
for _ in range(100):
    client = imaplib.IMAP4("127.0.0.1", 143, timeout=20)
    assert client.logout()[0] == "BYE"
'"""
SPAM = "for i in $(seq 60); do printf 'Subject: test\\n\\nhello\\n' | spamc -x >/dev/null; done"
PHP_SITE = """
server {
    listen 127.0.0.1:8090;
    root /srv/php;
    location / { include fastcgi_params; fastcgi_pass unix:/run/php/php8.4-fpm.sock;
                 fastcgi_param SCRIPT_FILENAME /srv/php/index.php; }
}
"""


def prepare_php(machine):
    machine.put("/srv/php/index.php", "ok <?php echo getmypid();\n")
    machine.put("/etc/nginx/conf.d/php.conf", PHP_SITE)
    machine.restart("nginx")


def prepare_lighttpd(machine):
    (workers,) = EXAMPLES["lighttpd"]
    machine.put(workers.path, workers.text)


def own_unit(command):
    name = command.split()[0]

    def prepare(machine):
        machine.put(f"/etc/systemd/system/{name}.service", f"[Service]\nExecStart=/usr/bin/{command}\n")

    return prepare


def prepare_unicorn(machine):
    text = machine.read("/etc/default/unicorn")
    machine.put("/etc/default/unicorn", re.sub("CONFIG_RB=.*", "CONFIG_RB=/srv/app/unicorn.rb", text))


def nothing(machine):
    pass


INDEX, APP = http("http://127.0.0.1/"), http("http://127.0.0.1:8000/")
# By name in the table: what is there before, its load, the port by which it is ready.
SERVERS = {
    "httpd": (nothing, INDEX, 80),
    "php-fpm": (prepare_php, http("http://127.0.0.1:8090/"), 8090),
    "nginx": (nothing, INDEX, 80),
    "lighttpd": (prepare_lighttpd, INDEX, 80),
    "unicorn": (prepare_unicorn, APP, 8000),
    "gunicorn": (own_unit("gunicorn --chdir /srv/app --workers 4 app:application"), APP, 8000),
    "puma": (own_unit("puma -C /srv/app/puma.rb"), APP, 8000),
    "uWSGI": (own_unit("uwsgi --ini /srv/app/uwsgi.ini"), APP, 8000),
    "Starman": (own_unit("starman --listen 127.0.0.1:8000 --workers 4 /srv/app/app.psgi"), APP, 8000),
    "spamd": (nothing, script(SPAM), 783),
}


# ---------------------------------------------------------------------------- tests


@pytest.fixture(scope="module")
def booted():
    with Machine() as machine:
        yield machine


@pytest.fixture
def machine(booted):
    """As it was before the last test."""
    booted.used = []
    booted.run("journalctl -q --rotate && journalctl -q --vacuum-time=1ms")
    yield booted
    for name in booted.used:
        booted.stop(name)
    booted.put_back()


def lines(machine, log, unit):
    """Of the library, in the log that the manual names."""
    text = machine.journal(f"-u {unit}") if log == "the journal" else machine.read(log)
    return [line for line in text.splitlines() if " leaves by " in line]


def expect_recycled(machine, name, unit, log, least=3):
    """With the server as it is now."""
    _, load, port = SERVERS[name]
    wait_until(lambda: machine.is_listening(port), f"{name} listens: {machine.journal('-n 20')}")
    wait_until(lambda: machine.workers(unit), "it has workers")
    assert all(map(has_library, machine.workers(unit)))
    machine.load_until(lambda: len(lines(machine, log, unit)) >= least, lambda: load(machine))
    assert "over SL_MAX_CONNECTIONS: " in lines(machine, log, unit)[0]


def test_each_example_is_tried():
    """And each row of the table: this has the names of all of them."""
    assert set(EXAMPLES) == {
        *["UNITS OF SYSTEMD", "httpd", "nginx", "unicorn", "uWSGI", "lighttpd", "spamd", "Postfix"],
        *["Dovecot", "Under supervisord", "In a container", "A server of one's own"],
    }
    assert {name for name, _, _ in TABLE} == SERVERS.keys() - {"spamd"}


@pytest.mark.parametrize("name, unit, log", TABLE, ids=[row[0] for row in TABLE])
def test_drop_in(machine, name, unit, log):
    if unit == "a unit of one's own":
        unit = name.lower()
    unit = unit.removesuffix(".service")
    machine.used += [unit, "nginx"] if name == "php-fpm" else [unit]
    SERVERS[name][0](machine)
    machine.put(DROP_IN.path.replace("apache2", unit), DROP_IN.text)
    check, reload, restart, status = COMMANDS.text.replace("apache2", unit).splitlines()
    assert "understood: SL_MAX_CONNECTIONS=20" in machine.run(check)
    machine.run(reload)
    machine.run(restart)
    wait_until(lambda: f", {unit}.service, " in machine.try_run(status).stdout, "it is seen")
    expect_recycled(machine, name, unit, log)


def test_envvars(machine):
    (example,) = EXAMPLES["httpd"]
    machine.used.append("apache2")
    machine.append(example.path, example.text)
    machine.restart("apache2")
    expect_recycled(machine, "httpd", "apache2", "/var/log/apache2/error.log")


def test_upgrade_of_nginx(machine):
    """The program that replaces it has the library only if it is told the variables."""
    (example,) = EXAMPLES["nginx"]
    machine.used.append("nginx")
    machine.put(DROP_IN.path.replace("apache2", "nginx"), DROP_IN.text)
    for is_told in (False, True):
        if is_told:
            machine.put(example.path, example.text)
        machine.restart("nginx")
        old = machine.processes("nginx")
        machine.run("kill -USR2 $(cat /run/nginx.pid)")
        wait_until(lambda: len(machine.processes("nginx")) >= 2 * len(old), "the new one has workers")
        machine.run("kill -QUIT $(cat /run/nginx.pid.oldbin)")
        wait_until(lambda: not set(old) & set(machine.processes("nginx")), "the old one has ended")
        assert all(has_library(process) == is_told for process in machine.processes("nginx"))
    expect_recycled(machine, "nginx", "nginx", "/var/log/nginx/error.log")


@pytest.mark.parametrize("name", ["unicorn", "spamd"])
def test_environment_file(machine, name):
    (example,) = EXAMPLES[name]
    machine.used.append(name)
    SERVERS[name][0](machine)
    machine.append(example.path, example.text)
    machine.restart(name)
    if name == "spamd":  # to syslog, where each line has the name of the library
        load, port = SERVERS[name][1:]
        wait_until(lambda: machine.is_listening(port), "spamd listens")
        machine.load_until(lambda: " leaves by " in machine.journal("-t slshim"), lambda: load(machine))
        assert all(map(has_library, machine.workers(name)))
    else:
        expect_recycled(machine, name, name, "the journal")


def test_init_script(machine):
    """Debian's of uWSGI."""
    (example,) = EXAMPLES["uWSGI"]
    machine.used.append("uwsgi")
    machine.put("/etc/uwsgi/apps-enabled/app.ini", machine.read("/srv/app/uwsgi.ini"))
    machine.append(example.path, example.text)
    machine.restart("uwsgi")
    expect_recycled(machine, "uWSGI", "uwsgi", "/var/log/uwsgi/app/app.log")


@pytest.mark.parametrize("name, unit, load", [("Postfix", "postfix", SMTP), ("Dovecot", "dovecot", IMAP)])
def test_import_environment(machine, name, unit, load):
    """Their workers are started by execve, and each is on its own."""
    machine.used.append(unit)
    first = EXAMPLES[name][0]
    if first.path:
        machine.put(first.path, first.text)
        machine.restart(unit)
    else:
        machine.put("/etc/postfix/main.cf", machine.read("/etc/postfix/main.cf"))
        machine.run(first.text)
    machine.put("/var/log/slshim.log", "")
    machine.load_until(
        lambda: machine.read("/var/log/slshim.log").count(" leaves by ") >= 3, lambda: machine.run(load)
    )


def test_drop_in_of_postfix_alone(machine):
    """Has no effect."""
    machine.used.append("postfix")
    machine.put(DROP_IN.path.replace("apache2", "postfix"), DROP_IN.text)
    machine.restart("postfix")
    machine.run(SMTP)
    assert len(machine.workers("postfix")) >= 3
    assert not any(map(has_library, machine.processes("postfix")))


def test_supervisord(machine):
    (example,) = EXAMPLES["Under supervisord"]
    machine.used.append("supervisor")
    machine.put(example.path, example.text)
    machine.restart("supervisor")
    wait_until(lambda: machine.is_listening(8000), "it listens")
    logs = "cat /var/log/supervisor/app-stderr*"
    machine.load_until(
        lambda: machine.run(logs).count(" leaves by ") >= 3, lambda: SERVERS["gunicorn"][1](machine)
    )
    assert [has_library(process) for process in machine.processes("supervisor")].count(False) == 1


def test_own_server(machine):
    unit, command = EXAMPLES["A server of one's own"]
    machine.used.append("app")
    machine.put(unit.path, unit.text)
    machine.restart("app")
    expect_recycled(machine, "gunicorn", "app", "the journal")
    machine.stop("app")

    program = command.text.replace("--daemon ", "--daemon --error-logfile /root/log ")
    assert program != command.text
    # The unit is all that it leaves, because a guess at the main process may be its child, which ends.
    machine.run(
        f"systemd-run -q --unit=run -p Type=forking -p GuessMainPID=no sh -c '{program}'"
    )
    machine.used.append("run")
    wait_until(lambda: machine.is_listening(8000), "it listens")
    assert all(map(has_library, machine.workers("run")))
    load = SERVERS["gunicorn"][1]
    left = r'^slshim_workers_left_total\{.*unit="run.service".*\} [1-9]'
    machine.load_until(
        lambda: re.search(left, machine.run("slshim metrics"), re.M), lambda: load(machine)
    )


class Container(Server):
    """Of an image that has nothing but the example; the programs are the host's."""

    def __init__(self):
        if not as_root():
            raise Missing("root, for the mounts of a container")
        self.gunicorn = tool("gunicorn")
        super().__init__()
        self.port = free_port()
        self.buildah = [tool("buildah"), "--storage-driver", "vfs"]
        for option in ("root", "runroot"):
            self.buildah += [f"--{option}", str(self.directory / option)]

    def _run(self, *words):
        done = subprocess.run([*self.buildah, *words], cwd=self.directory, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]

    def _build(self):
        (example,) = EXAMPLES["In a container"]
        image = self.directory / "image"
        image.mkdir()
        for name in ("bin", "lib", "lib64"):
            (image / name).symlink_to(f"usr/{name}")
        (self.directory / example.path).write_text(f"FROM scratch\nCOPY image/ /\n{example.text}")
        (self.directory / "app.py").write_text(APPLICATIONS["/srv/app/app.py"])
        self._run("bud", "--isolation", "chroot", "-q", "-t", "app", ".")
        return self._run("from", "--pull-never", "app")

    def start(self):
        places = {f"/usr/{name}": f"/usr/{name}" for name in ("bin", "lib", "lib64", "share")}
        places |= {"/etc": "/etc", LIBRARY_BUILT.parent: "/usr/local/lib", self.directory: "/srv"}
        volumes = [word for of, at in places.items() for word in ("-v", f"{of}:{at}")]
        command = [*self.buildah, "run", "--isolation", "chroot", *volumes, self._build(), "--"]
        gunicorn = [self.gunicorn, "--chdir", "/srv", "--workers", "4", "--bind"]
        with open(self.directory / "log", "w") as log:
            self.spawn(
                [*command, *gunicorn, f"127.0.0.1:{self.port}", "app:application"], stdout=log, stderr=log
            )
        self.master = wait_until(self._find_master, f"it has workers: {self.log()}")
        wait_until(lambda: accepts(self.port), f"it listens: {self.log()}")

    def _find_master(self):
        started = psutil.Process(self.process.pid)
        of_gunicorn = [child for child in started.children(recursive=True) if child.name() == "gunicorn"]
        return of_gunicorn[0] if len(of_gunicorn) == 5 else None

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def log(self):
        return (self.directory / "log").read_text()


def test_container():
    with Container() as server:
        assert all(map(has_library, server.workers()))
        load_until_left(server, 3, lambda server: ab(server.url(), 200, clients=4))


# ------------------------------------------------- what the manual says to have no effect


def test_env_of_a_php_pool(machine):
    machine.used.append("php8.4-fpm")
    pool = f"env[LD_PRELOAD] = {LIBRARY}\nenv[SL_MAX_CONNECTIONS] = 20\n"
    machine.append("/etc/php/8.4/fpm/pool.d/www.conf", pool)
    machine.restart("php8.4-fpm")
    assert len(machine.workers("php8.4-fpm")) >= 2
    assert not any(map(has_library, machine.processes("php8.4-fpm")))


@pytest.mark.parametrize("clear", ["yes", "no"])
def test_clear_env(machine, clear):
    machine.used += ["php8.4-fpm", "nginx"]
    prepare_php(machine)
    machine.append("/etc/php/8.4/fpm/pool.d/www.conf", f"clear_env = {clear}\n")
    machine.put(DROP_IN.path.replace("apache2", "php8.4-fpm"), DROP_IN.text)
    machine.restart("php8.4-fpm")
    expect_recycled(machine, "php-fpm", "php8.4-fpm", "/var/log/php8.4-fpm.log")


def test_raw_env_of_gunicorn(machine):
    machine.used.append("gunicorn")
    raw = f"--env LD_PRELOAD={LIBRARY} --env SL_MAX_CONNECTIONS=20"
    own_unit(f"gunicorn --chdir /srv/app {raw} app:application")(machine)
    machine.restart("gunicorn")
    wait_until(lambda: machine.workers("gunicorn"), "it has a worker")
    assert not any(map(has_library, machine.processes("gunicorn")))


def test_env_of_uwsgi(machine):
    """Only after a reload."""
    machine.used.append("uwsgi")
    env = f"env = LD_PRELOAD={LIBRARY}\nenv = SL_MAX_CONNECTIONS=20\n"
    machine.put("/srv/app/env.ini", machine.read("/srv/app/uwsgi.ini") + env)
    own_unit("uwsgi --ini /srv/app/env.ini")(machine)
    machine.restart("uwsgi")
    wait_until(lambda: len(machine.workers("uwsgi")) >= 4, "it has workers")
    assert not any(map(has_library, machine.processes("uwsgi")))
    machine.run("systemctl kill -s HUP --kill-whom=main uwsgi")
    wait_until(
        lambda: len(machine.workers("uwsgi")) >= 4 and all(map(has_library, machine.workers("uwsgi"))),
        "it has executed itself",
    )
    expect_recycled(machine, "uWSGI", "uwsgi", "the journal")
