"""Modules of httpd that bring processes of their own, daemons that accept or run programs: httpd's
children leave, the daemons stay, and no request is lost."""

import pytest

from servers import THREADED_POOL, Httpd, get, sessions, shim, tool, wrk

APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\\n"]
"""
PHP = '<?php header("Content-Type: text/plain"); echo "ok\\n";'
CGI = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\necho ok\n"
DIRECTORY = '<Directory "@directory@/programs">\nOptions +ExecCGI\nRequire all granted\n</Directory>\n'

# What it loads, its configuration, its program, and why a daemon of its that accepts stays.
SETTINGS = {
    "wsgi": (
        ("alias", "wsgi"),
        "WSGISocketPrefix @directory@/wsgi\nWSGIDaemonProcess app processes=2 threads=3\n"
        "WSGIProcessGroup app\nWSGIScriptAlias /app @directory@/programs/app\n",
        APPLICATION,
        "it accepts on a Unix socket",
    ),
    "fcgid": (
        ("alias", "fcgid"),
        "FcgidIPCDir @directory@/fcgid\nFcgidProcessTableFile @directory@/fcgid.table\n"
        "FcgidMaxProcesses 8\nAlias /app @directory@/programs/app.php\n"
        '<Files "app.php">\nSetHandler fcgid-script\nFcgidWrapper @php@ .php\n</Files>\n',
        PHP,
        "",
    ),
    "cgid": (
        ("alias", "cgid"),
        "ScriptSock @directory@/cgid.sock\nScriptAlias /app @directory@/programs/app\n",
        CGI,
        "it accepts on a socket that it opened itself",
    ),
}


def make(module, mpm, environment, config=""):
    modules, settings, program, _ = SETTINGS[module]
    config = (THREADED_POOL if mpm == "event" else "") + config + DIRECTORY + settings
    if "@php@" in config:
        config = config.replace("@php@", tool("php-cgi"))
    server = Httpd(environment, mpm=mpm, modules=modules, config=config, workers_at_start=16)
    for name in ("programs", "fcgid"):
        (server.directory / name).mkdir()
    (server.directory / "fcgid").chmod(0o777)
    script = server.directory / "programs" / ("app.php" if module == "fcgid" else "app")
    script.write_text(program)
    script.chmod(0o755)
    return server


def is_daemon(worker):
    """It has not the listener that httpd's children have."""
    return not any(one.status == "LISTEN" for one in worker.connections("tcp"))


@pytest.mark.parametrize("mpm", ["prefork", "event"])
@pytest.mark.parametrize("module", SETTINGS)
def test_module(module, mpm):
    def load(server):
        done = wrk(server.url("/app"), 1, keep_alive=False)
        print(f"{done.requests} requests, {done.failed} failed, {len(server.leavings())} leavings")
        return done

    with make(module, mpm, {}, "MaxConnectionsPerChild 20\n") as own:
        wrk(own.url("/app"), 2, keep_alive=False)
        own_complaints = own.complaints()
        own.stop()
    with make(module, mpm, shim(SL_MAX_CONNECTIONS=19, SL_MAX_LEAVING="100%")) as server:
        daemons = [worker for worker in server.workers() if is_daemon(worker)]
        while len(server.leavings()) < 15:
            load(server).expect_good()
        left = server.leavings()
        assert {leaving.way for leaving in left} == {
            "pod@accept" if mpm == "event" else "USR1@close"
        }
        assert get(server.url("/app")) == "ok\n"
        assert {leaving.pid for leaving in left}.isdisjoint(worker.pid for worker in daemons)
        assert all(worker.is_running() for worker in daemons)
        reason = SETTINGS[module][3]
        assert reason in server.log()
        assert server.log().count("is over a limit and stays") == (reason != "")
        assert server.complaints() <= own_complaints
        assert server.stop() == 0


def test_itk():
    """mpm-itk has a child of prefork fork a process for each connection; the child waits for it,
    and leaves as prefork's do."""

    def load(server):
        done = wrk(server.url(), 1, keep_alive=False), sessions(server.ports[0], 100)
        return sum(one.requests for one in done), sum(one.failed for one in done)

    arguments = {"modules": ("mpm_itk",), "workers_at_start": 16, "observed": True}
    with Httpd({}, config="MaxConnectionsPerChild 20", **arguments) as own:
        load(own)
        own_complaints = own.complaints()
        own.stop()
    with Httpd(shim(SL_MAX_CONNECTIONS=19, SL_MAX_LEAVING="100%"), **arguments) as server:
        while len(server.leavings()) < 15:
            requests, failed = load(server)
            print(f"{requests} requests, {failed} failed, {len(server.leavings())} leavings")
            assert failed == 0
        left = server.leavings()
        assert {leaving.way for leaving in left} == {"USR1@close"}
        assert {leaving.connections for leaving in left} == {20}
        assert "is over a limit and stays" not in server.log()
        assert set(server.statuses()) == {"exited 0"}
        assert server.complaints() <= own_complaints
        assert get(server.url()) == "ok\n"
        assert server.stop() == 0
