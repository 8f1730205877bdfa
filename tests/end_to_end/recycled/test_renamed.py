"""Known servers under other names, and started in other ways: what they are is told by what their
image exports, by what their interpreter has loaded, or by their script, and they are recycled as
ever."""

import shutil
from pathlib import Path

import pytest

from marks import long_but
from servers import THREADED_POOL, Httpd, load_until_left, rounds_of, shim, tool, wait_until
from strangers import PhpBuiltIn
from test_gunicorn import Gunicorn
from test_lighttpd import Lighttpd
from test_nginx import Nginx
from test_php_fpm import PhpFpm
from test_puma import Puma
from test_starman import Starlet, Starman
from test_unicorn import Unicorn
from test_uwsgi import MASTER, Uwsgi

FEW = {"SL_MAX_CONNECTIONS": 20}


def copy(server, program, name):
    """Of a program, in the server's directory."""
    path = server.directory / name
    shutil.copy(Path(program).resolve(), path)
    path.chmod(0o755)
    return str(path)


def expect_recycled(server, load=rounds_of(500)):
    """By the method of its profile, with nothing lost."""
    with server:
        load_until_left(server, 5, load)
        assert f"({server.title})" in server.said.read_text()
        assert "is over a limit and stays" not in server.said.read_text()
        server.stop()


# ------------------------------------------------------------- renamed images


@pytest.mark.parametrize(
    "server_class,name",
    [
        *[(Nginx, "openresty"), (Nginx, "rh-nginx"), (Uwsgi, "application-server")],
        *[(PhpFpm, "my-fpm"), (Lighttpd, "lhttpd")],
    ],
)
def test_renamed(server_class, name):
    server = server_class(shim(**FEW))
    if server_class is Uwsgi:
        server.options = MASTER
    usual = server.command

    def command():
        program, *words = usual()
        return [copy(server, program, name), *words]

    server.command = command
    expect_recycled(server, rounds_of(500, clients=4))


@pytest.mark.parametrize("name", ["httpd-2.4", "apache2-custom"])
@pytest.mark.parametrize("mpm", ["prefork", "event"])
def test_renamed_httpd(mpm, name):
    """Also with an interpreter among its modules, though that has loaded a server."""
    title, way = {
        "prefork": ("httpd prefork", "USR1@close"),
        "event": ("httpd worker, event", "pod@accept"),
    }[mpm]
    modules = ("wsgi",) if mpm == "event" else ("perl",)
    config = THREADED_POOL if mpm == "event" else "<Perl>\nrequire Starman::Server;\n</Perl>"
    server = Httpd(shim(SL_MAX_LEAVING="100%", **FEW), modules=modules, config=config, mpm=mpm)
    server.program = copy(server, server.program, name)
    with server:
        load_until_left(server, 5, rounds_of(500))
        assert f"({title})" in server.log()
        assert {leaving.way for leaving in server.leavings()} == {way}
        assert server.stop() == 0


def test_renamed_php_server():
    """Its master never replaces one, so none is tried."""

    class Renamed(PhpBuiltIn):
        def command(self):
            program, *words = super().command()
            return [copy(self, program, "web"), *words]

    with Renamed(shim(SL_MAX_CONNECTIONS=1)) as server:
        server.use()
        wait_until(lambda: "(php -S)" in server.log(), f"it is known, see {server.log_file}")
        assert "leaves" not in server.log().replace("php -S", "")


# ----------------------------------------------------- scripts and interpreters


def by_module(*options):
    return lambda server: ["/usr/bin/python3", *options]


def wrapper(server, program):
    """A script of the shell that becomes another program."""
    path = server.directory / "wrapper"
    path.write_text(f'#!/bin/sh\nset -e\nexec {program} "$@"\n')
    path.chmod(0o755)
    return str(path)


def script(server, interpreter, name, program):
    """A program of an interpreter, with another first line and another name."""
    path = server.directory / name
    text = Path(program).read_text().partition("\n")[2]
    path.write_text(f"#!/usr/bin/env {interpreter}\n{text}")
    path.chmod(0o755)
    return str(path)


WAYS = {
    Starman: {
        "perl -w -I": lambda _: [tool("perl"), "-w", "-I", "lib", tool("starman")],
        "perl -M": lambda _: [tool("perl"), "-MPOSIX=floor", "--", tool("starman")],
        "env": lambda _: ["env", "SOME=thing", tool("starman")],
        "setpriv": lambda _: [tool("setpriv"), "--no-new-privs", tool("starman")],
        "a wrapper": lambda server: [wrapper(server, "starman")],
        "a version": lambda server: [script(server, "perl", "starman-5.36", tool("starman"))],
        "another name": lambda server: [script(server, "perl", "web", tool("starman"))],
    },
    Starlet: {
        "another name": lambda server: [
            *[script(server, "perl", "web", tool("plackup")), "-E", "deployment"],
            *["--server", "Starlet"],
        ],
    },
    Unicorn: {
        "ruby -W0 -r": lambda _: [tool("ruby"), "-W0", "-rjson", tool("unicorn")],
        "ruby -I -S": lambda _: [tool("ruby"), "-I", "lib", "-S", "unicorn"],
        "ruby --enable": lambda _: [tool("ruby"), "--enable", "gems", "-Ku", tool("unicorn")],
        "another name": lambda server: [script(server, "ruby", "web", tool("unicorn"))],
        "a renamed ruby": lambda server: [
            *[copy(server, tool("ruby"), "interpreter"), tool("unicorn")],
        ],
    },
    Puma: {
        "beside unicorn": lambda _: [tool("ruby"), "-runicorn", tool("puma")],
        "another name": lambda server: [script(server, "ruby", "web", tool("puma"))],
        "a renamed ruby": lambda server: [
            *[copy(server, tool("ruby"), "interpreter"), tool("puma")],
        ],
    },
    Gunicorn: {
        "python3 -X -W -u -m": by_module("-X", "dev", "-W", "ignore", "-u", "-m", "gunicorn"),
        "python3 -Im": by_module("-Im", "gunicorn"),
        "python3 -O -m": by_module("-O", "-m", "gunicorn.app.wsgiapp"),
        "another name": lambda server: [script(server, "/usr/bin/python3", "web", tool("gunicorn"))],
        "a renamed python": lambda server: [
            *[copy(server, "/usr/bin/python3", "interpreter"), "-m", "gunicorn"],
        ],
    },
}


# Each form of a command line is in the unit tests.
OFTEN = [
    *[(Starman, "perl -w -I"), (Starman, "another name"), (Starlet, "another name")],
    *[(Unicorn, "ruby -W0 -r"), (Unicorn, "another name"), (Unicorn, "a renamed ruby")],
    *[(Puma, "beside unicorn"), (Puma, "another name")],
    *[(Gunicorn, "python3 -X -W -u -m"), (Gunicorn, "another name")],
]


@pytest.mark.parametrize(
    "server",
    long_but(OFTEN, [(server_class, way) for server_class, ways in WAYS.items() for way in ways]),
    ids=lambda server: f"{server[0].__name__}-{server[1]}",
)
def test_started_otherwise(server):
    server_class, way = server
    server = server_class(shim(**FEW))
    if server_class is Gunicorn:
        server.title = "gunicorn sync"
    usual, known_by = server.command, len(server_class.program) if hasattr(server, "program") else 1
    server.command = lambda: [*WAYS[server_class][way](server), *list(usual())[known_by:]]
    expect_recycled(server)
