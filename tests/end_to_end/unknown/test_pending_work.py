"""Workers of unknown servers that still have something to do when no connection is open: jobs that
they do after the answer, later or elsewhere. They leave when these are done, or stay and it is said
why. Each job that a request started is counted.

Default settings, but for a limit that every worker crosses soon."""

import contextlib
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from known import require_perl
from marks import long
from servers import PATIENCE, Missing, Server, ab, accepts, free_port, shim, tool, wait_until

HERE = Path(__file__).resolve().parent
LIMIT = {"SL_MAX_CONNECTIONS": 5}
ANSWERS_AFTER = 0.2

IS_SCHEDULED = "for as long as it waits with a timeout, because that means that work is scheduled"
IS_AT_WORK = "for as long as another of its threads is at work"


class SlowUpstream(socketserver.ThreadingTCPServer):
    """Answers each line, a while later."""

    daemon_threads = True
    request_queue_size = 128

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                while self.rfile.readline():
                    time.sleep(ANSWERS_AFTER)
                    self.wfile.write(b"answer\n")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)

    @property
    def port(self):
        return self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *arguments):
        self.shutdown()
        super().__exit__(*arguments)


class Pending(Server):
    """A prefork server of which `command()` starts one, whose workers append a line to `jobs` for
    each job that they did."""

    burst = 40  # requests at a time
    keeps_up = True  # with jobs, however fast requests come

    def __init__(self, **variables):
        super().__init__(shim(**LIMIT | variables))
        self.port = free_port()
        self.jobs = self.directory / "jobs"
        self.jobs.touch()
        self.output = self.directory / "output"
        self.requests = 0  # that start a job

    def command(self):
        raise NotImplementedError

    def log(self):
        return self.output.read_text(errors="replace")

    def left(self):
        return len(self.leavings())

    def is_answering(self):
        assert self.process.poll() is None, f"it ended:\n{self.log()}"
        return accepts(self.port)

    def start(self):
        with open(self.output, "a") as output:
            self.spawn(list(map(str, self.command())), stdout=output, stderr=output)
        self.master = psutil.Process(self.process.pid)
        wait_until(self.is_answering, f"it answers, see {self.output}")
        self.wait_until_settled(4)

    def load(self, requests, path="/", clients=8):
        load = ab(f"http://127.0.0.1:{self.port}{path}", requests, clients).expect_good()
        if path == "/":
            self.requests += load.requests

    def done(self):
        return len(self.jobs.read_text().splitlines())

    def expect_all_done(self):
        """A moment later, too: none is done twice."""
        wait_until(
            lambda: self.done() >= self.requests,
            f"{self.requests} jobs are done, see {self.directory}",
        )
        assert self.done() == self.requests

    def rounds(self, least, then=None):
        """Loads it and has it do what that left to do, until so many have left; all of it done."""
        end = time.monotonic() + PATIENCE
        while self.left() < least and time.monotonic() < end:
            self.load(self.burst)
            self.expect_all_done()
            if then:
                self.load(40, then)
        print(f"{self.requests} requests, 0 failed, {self.done()} jobs, {self.left()} leavings")
        assert self.left() >= least, self.log()
        self.load(self.burst)
        self.expect_all_done()
        assert "ended with status" not in self.log()

    def expect_to_stay(self, reason):
        """Loads it until it is said why they stay."""
        end = time.monotonic() + PATIENCE
        while reason not in self.log() and time.monotonic() < end:
            self.load(self.burst)
            if not self.keeps_up:
                self.expect_all_done()
        self.expect_all_done()
        print(f"{self.requests} requests, 0 failed, {self.done()} jobs, {self.left()} leavings")
        assert self.log().count(reason) == 1, self.log()


class InPython(Pending):
    def __init__(self, kind, upstream=0, **variables):
        super().__init__(**variables)
        self.kind, self.upstream = kind, upstream
        self.keeps_up = not kind.startswith("queue")
        self.burst = 40 if self.keeps_up else 8

    def command(self):
        return [sys.executable, HERE / "pending.py", self.kind, self.port, self.jobs, self.upstream]


def require_tornado():
    if subprocess.run([sys.executable, "-c", "import tornado"], capture_output=True).returncode:
        raise Missing("tornado is not installed")


# ---------------------------------------------------------------- event loops


@pytest.mark.parametrize("selector", ["Epoll", *long("Poll", "Select")])
@pytest.mark.parametrize("kind", ["task", "executor", "quick_executor"])
def test_asyncio(kind, selector):
    with InPython(f"{kind}-{selector}") as server:
        server.rounds(least=8)
        assert server.stop() == 0


def test_tornado():
    require_tornado()
    with InPython("tornado") as server:
        server.rounds(least=8)
        assert server.stop() == 0


def test_tornado_that_does_something_every_second():
    require_tornado()
    with InPython("periodic_tornado") as server:
        server.expect_to_stay(IS_SCHEDULED)
        assert server.left() == 0
        assert server.stop() == 0


def test_tornado_of_its_own_master():
    """Who replaces nobody that left: one does, on trial."""
    require_tornado()
    with InPython("fork_processes") as server:
        for _ in range(10):
            server.load(40)
            server.expect_all_done()
        assert server.left() == 1
        server.stop()


# -------------------------------------------------------------------- threads

IN_THREADS = ["thread_sleeps", "thread_calculates", "queue_sleeps", "queue_calculates"]


@pytest.mark.parametrize("kind", IN_THREADS)
def test_thread_that_works(kind):
    """Each request starts a job, and is over before that: whoever comes to accept has a thread at
    work. They leave when they have served others, that start none, meanwhile."""
    with InPython(kind) as server:
        server.expect_to_stay(IS_AT_WORK)
        server.rounds(least=8, then="/none")
        assert server.stop() == 0


# ------------------------------------------------------- requests of their own


@pytest.mark.parametrize(
    "kind",
    [
        "upstream-Epoll", "upstream-Poll", "upstream-Select", "kept_upstream-Epoll",
        "watched_upstream",
    ],
)  # fmt: skip
def test_request_to_a_slow_upstream(kind):
    with SlowUpstream() as upstream, InPython(kind, upstream.port) as server:
        server.rounds(least=8)
        assert server.stop() == 0


# ----------------------------------------------------------------------- Perl

MOJOLICIOUS = r"""
use Mojolicious::Lite -signatures;
use Mojo::Server::Prefork;

my ($port, $jobs) = @ARGV;
open my $file, ">>", $jobs or die;
app->log->level("fatal");
get "/*any" => {any => ""} => sub ($c) {
    $c->render(text => "ok\n");
    Mojo::IOLoop->timer(0.2 => sub { syswrite $file, "done\n" }) if $c->param("any") ne "none";
};
my $listen = "http://127.0.0.1:$port";
Mojo::Server::Prefork->new(app => app, listen => [$listen], workers => 4, spare => 0, accepts => 0,
    silent => 1, pid_file => "$jobs.pid")->run;
"""

ANYEVENT = r"""
use strict;
use AnyEvent;
use IO::Socket::INET;
use POSIX ();

my ($port, $jobs) = @ARGV;
open my $file, ">>", $jobs or die;
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 128,
    ReuseAddr => 1, Blocking => 0) or die;

sub work {
    my %timers;
    my $accept = AE::io $listener, 0, sub {
        my $connection = $listener->accept or return;
        $connection->blocking(1);
        sysread $connection, my $request, 4096;
        syswrite $connection, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
        close $connection;
        return if !$request || $request =~ m{/none};
        my $number = rand;
        $timers{$number} = AE::timer 0.2, 0, sub {
            syswrite $file, "done\n";
            delete $timers{$number};
        };
    };
    AE::cv->recv;
}

sub start {
    my $pid = fork // die;
    return $pid if $pid;
    $SIG{TERM} = "DEFAULT";
    work;
}

start for 1 .. 4;
$SIG{TERM} = sub { POSIX::_exit(0) };
while (wait > 0) {
    print STDERR "ended with status $?\n" if $?;
    start;
}
"""


class InPerl(Pending):
    def __init__(self, source, **variables):
        super().__init__(**variables)
        (self.directory / "server.pl").write_text(source)

    def command(self):
        return [tool("perl"), "server.pl", self.port, self.jobs]


def test_mojolicious():
    """Its workers tell their master every second that they live: they always wait with a timeout."""
    require_perl("Mojolicious")
    with InPerl(MOJOLICIOUS) as server:
        server.expect_to_stay(IS_SCHEDULED)
        assert server.left() == 0
        assert server.stop() == 0


def test_anyevent():
    require_perl("AnyEvent")
    with InPerl(ANYEVENT) as server:
        server.expect_to_stay(IS_SCHEDULED)
        assert server.left() == 0
        assert server.stop() == 0


@pytest.mark.parametrize("kind", ["AnyEvent", "thread_sleeps"])
def test_the_user_knows_better(kind):
    """What the reason says would let it does, whatever becomes of its jobs."""
    environment = {"SL_LEAVE": "_exit@idle"}
    if kind == "AnyEvent":
        require_perl(kind)
        server = InPerl(ANYEVENT, **environment)
    else:
        server = InPython(kind, **environment)
    with server:
        end = time.monotonic() + PATIENCE
        while server.left() < 8 and time.monotonic() < end:
            server.load(40)
        assert server.left() >= 8
        assert server.done() < server.requests
        assert "is over a limit and stays" not in server.log()
        assert server.stop() == 0
