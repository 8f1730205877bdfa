"""What an application asks for by slshim.h, in each of the languages that examples/ has it for, in a
worker of a real server of that language.

All of them answer as examples/asking does, with pids of one width, for ab compares lengths."""

import re
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from known import Known
from servers import (
    TOP, Asking, Httpd, ab, ask, load_until, load_until_left, rounds_of, shim, tool, wait_until
)  # fmt: skip

EXAMPLES = TOP / "examples"
MUCH = {"SL_MAX_LEAVING": "100%"}
SELDOM = {"SL_CHECK_EVERY": 1000000}
WORKERS = 2


class Gunicorn(Known):
    workers_at_start = WORKERS
    APPLICATION = """
import os, slshim

def application(environ, start_response):
    name, *texts = environ["PATH_INFO"].strip("/").split("/")
    result = getattr(slshim, name)(*texts) if name else None
    body = f"{os.getpid():9} {'absent' if result is None else result}\\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""

    def prepare(self):
        (self.directory / "application.py").write_text(self.APPLICATION)

    def command(self):
        return [tool("gunicorn"), "-b", f"127.0.0.1:{self.port}", "-w", str(WORKERS),
                "--pythonpath", str(EXAMPLES), "application"]  # fmt: skip

    def log(self):
        return self.said.read_text()


class Unicorn(Known):
    workers_at_start = WORKERS
    APPLICATION = """
require "slshim"

run lambda { |env|
  name, *texts = env["PATH_INFO"].delete_prefix("/").split("/")
  result = name ? Slshim.public_send(name, *texts) : nil
  body = "#{$$.to_s.rjust(9)} #{result.nil? ? "absent" : result}\\n"
  [200, {"Content-Type" => "text/plain", "Content-Length" => body.size.to_s}, [body]]
}
"""

    def prepare(self):
        (self.directory / "config.ru").write_text(self.APPLICATION)
        (self.directory / "unicorn.rb").write_text(f"worker_processes {WORKERS}\n")

    def command(self):
        return [tool("unicorn"), "-I", str(EXAMPLES), "-c", "unicorn.rb", "-E", "none",
                f"-l127.0.0.1:{self.port}", "config.ru"]  # fmt: skip

    def log(self):
        return self.said.read_text()


def mod_php(environment):
    config = """
php_admin_value ffi.enable 1
<Location />
    SetHandler application/x-httpd-php
</Location>
AliasMatch .* "@directory@/htdocs/index.php"
"""
    server = Httpd(environment, 1, ("alias", "php"), config, workers_at_start=WORKERS)
    # Its children may not read what is under /root.
    shutil.copy(EXAMPLES / "slshim.php", server.directory / "htdocs")
    (server.directory / "htdocs" / "index.php").write_text("""<?php
require 'slshim.php';
$texts = explode('/', trim($_SERVER['REQUEST_URI'], '/'));
$name = array_shift($texts);
$result = $name ? Slshim::__callStatic($name, $texts) : null;
echo sprintf('%9d', getmypid()), ' ', $result ?? 'absent', "\\n";
""")
    return server


def mod_perl(environment):
    config = f"""
PerlSwitches -I{EXAMPLES}
<Perl>
package Asking;
use Slshim;
use Apache2::RequestRec ();
use Apache2::RequestIO ();
use Apache2::Const -compile => "OK";

sub handler {{
    my $r = shift;
    my ($name, @texts) = grep {{ length }} split m{{/}}, $r->uri;
    my $function = Slshim->can($name // "");
    my $result = $function ? $function->(@texts) : undef;

    $r->content_type("text/plain");
    $r->print(sprintf("%9d ", $$), $result // "absent", "\\n");
    return Apache2::Const::OK;
}}
</Perl>
<Location />
    SetHandler modperl
    PerlResponseHandler Asking
</Location>
"""
    return Httpd(environment, 1, ("perl",), config, workers_at_start=WORKERS)


LANGUAGES = {
    "C": Asking, "Perl": mod_perl, "PHP": mod_php, "Python": Gunicorn, "Ruby": Unicorn
}  # fmt: skip
each_language = pytest.mark.parametrize("make", LANGUAGES.values(), ids=LANGUAGES)


def ask_ok(server, path):
    pid, result = ask(server, path)
    assert result == 0, path
    return pid


def ask_several(server, path):
    """By several clients at a time, because the kernel may give all that come one after another to the
    same worker, as with the EPOLLEXCLUSIVE of unicorn."""
    with ThreadPoolExecutor(8) as clients:
        return list(clients.map(lambda _: ask(server, path), range(8)))


def load(server, requests=200):
    return ab(server.url(), requests, clients=2).expect_good()


def load_each(server, connections):
    """Until every worker has served more than that; who is given them is the kernel's choice."""
    served = {}

    def is_enough():
        served.update(ask_several(server, "/measure/connections"))
        return sum(count > connections for count in served.values()) >= WORKERS

    load_until(server, is_enough, rounds_of(50, clients=2))


def load_until_it_left(server, pid):
    def has_left():
        return pid in [leaving.pid for leaving in server.leavings()]

    load_until(server, has_left, rounds_of(20, clients=2))


@each_language
def test_without_slshim_nothing_happens(make):
    with make({}) as server:
        for call in ["limit/SL_MAX_RSS/1M", "limit_request/SL_MAX_RSS/1M", "check", "recycle",
                     "request_done", "measure/size"]:  # fmt: skip
            assert ask(server, f"/{call}")[1] is None
        load(server)


@each_language
def test_refusals(make):
    with make(shim(SL_APPLICATION=1)) as server:
        for call in ["limit/SL_MAX_RSS/much", "limit/SL_MAX_FUN/1", "limit_request/SL_CHECK_EVERY/2",
                     "limit/SL_CHECK_EVERY/0", "measure/fun"]:  # fmt: skip
            assert ask(server, f"/{call}")[1] == -1
        load(server)
        assert server.leavings() == []


@each_language
def test_measures(make):
    with make(shim(SL_MAX_CONNECTIONS=1000000)) as server:
        load(server)
        pid, connections = ask(server, "/measure/connections")
        assert connections > 1
        worker = next(worker for worker in server.workers() if worker.pid == pid)
        for quantity, figure in [("size", "vms"), ("resident", "rss"), ("unshared", "uss")]:
            asked, measured = ask(server, f"/measure/{quantity}")
            while asked != pid:
                asked, measured = ask(server, f"/measure/{quantity}")
            seen = getattr(worker.memory_full_info(), figure)
            assert abs(measured - seen) < max(seen / 10, 1 << 20), quantity
        assert ask(server, "/measure/requests")[1] == -1  # nobody counts them


@each_language
def test_limit_of_one_worker(make):
    with make(shim(SL_APPLICATION=1, **MUCH)) as server:
        pid = ask_ok(server, "/limit/SL_MAX_CONNECTIONS/1")
        load_until_it_left(server, pid)
        load(server)
        assert {leaving.pid for leaving in server.leavings()} == {pid}
        assert "SL_MAX_CONNECTIONS" in server.leavings()[0].limits


@each_language
def test_limit_is_cleared(make):
    with make(shim(SL_MAX_CONNECTIONS=500, **MUCH)) as server:
        cleared = {}

        def all_are_cleared():
            cleared.update(ask_several(server, "/limit/SL_MAX_CONNECTIONS/0"))
            return len(cleared) >= WORKERS

        wait_until(all_are_cleared, "all are cleared")
        assert set(cleared.values()) == {0}
        load(server, 2000)
        assert server.leavings() == []


@each_language
def test_limit_of_one_request(make):
    """That of the environment does not count meanwhile, and does so after."""
    with make(shim(SL_MAX_CONNECTIONS=50, **MUCH, **SELDOM)) as server:
        load_each(server, 50)
        pid = ask_ok(server, "/limit_request/SL_MAX_CONNECTIONS/100000")
        load(server, 20)
        assert server.leavings() == []
        assert pid in [worker.pid for worker in server.workers()]
        pid = ask_ok(server, "/check")
        load_until_it_left(server, pid)
        assert server.leavings()[0].limits["SL_MAX_CONNECTIONS"][1] == 50


@each_language
def test_worker_over_the_limit_of_a_request_leaves(make):
    with make(shim(SL_MAX_CONNECTIONS=100000, **MUCH, **SELDOM)) as server:
        load(server)
        pid = ask_ok(server, "/limit_request/SL_MAX_SIZE/1M")
        load_until_it_left(server, pid)
        assert [leaving.pid for leaving in server.leavings()] == [pid]


@each_language
def test_recycle(make):
    with make(shim(SL_APPLICATION=1, **MUCH)) as server:
        load(server)
        pid = ask_ok(server, "/recycle")
        load_until_it_left(server, pid)
        assert "because the application asked it to" in server.leavings()[0].text
        load(server)
        assert [leaving.pid for leaving in server.leavings()] == [pid]


def one_after_the_other(server, path, times):
    """On one connection that is kept alive, as far as the server keeps it."""
    with socket.create_connection(("127.0.0.1", server.port_of_requests), timeout=10) as client:
        replies = []
        for _ in range(times):
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            reply = b""
            while not re.search(rb"\r\n\r\n.*\d (-?\d+|absent)\n", reply, re.DOTALL):
                more = client.recv(4096)
                assert more, "the server closed the connection"
                reply += more
            replies.append(reply)
        return replies


@pytest.mark.parametrize("make", [mod_perl, mod_php], ids=["Perl", "PHP"])
def test_requests_of_a_connection_count(make):
    """A worker leaves when the connection has ended, for what its requests came to."""
    with make(shim(SL_MAX_REQUESTS=20, **MUCH)) as server:
        server.port_of_requests = server.ports[0]
        one_after_the_other(server, "/request_done", 20)
        load(server)
        assert server.leavings() == []
        one_after_the_other(server, "/request_done", 50)
        load_until_left(server, 1, rounds_of(20, clients=2))
        requests, limit = server.leavings()[0].limits["SL_MAX_REQUESTS"]
        assert (requests >= 50, limit) == (True, 20)
