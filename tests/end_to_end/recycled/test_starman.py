"""Starman and Starlet, compared with their own limits on requests."""

import contextlib

import psutil
import pytest

from known import TwoPorts, expect_alike, require_perl, run_own, run_shimmed
from servers import ab_each, sessions, tool

APPLICATION = """
sub note {
    open my $witness, ">>", $ENV{WITNESS} or die $!;
    print $witness "@_ $$\\n";
}

sub Starman::Server::child_finish_hook { note("child_finish_hook") }
END { note("END") }

sub { [200, ["Content-Type" => "text/plain", "Content-Length" => 3], ["ok\\n"]] };
"""


class Perl(TwoPorts):
    options = ()

    def prepare(self):
        (self.directory / "app.psgi").write_text(APPLICATION)

    def listens(self):
        return [word for port in self.open_ports() for word in ("--listen", f"127.0.0.1:{port}")]


class Starman(Perl):
    title = "Starman"
    program = ("starman",)
    limit = "--max-requests"

    def command(self):
        own = [self.limit, str(self.own)] if self.own else []
        program = [tool(self.program[0]), *self.program[1:]]
        return [*program, "--workers", "4", *self.listens(), *self.options, *own, "app.psgi"]


def one_shot(server):
    urls = [f"http://127.0.0.1:{port}/" for port in server.open_ports()]
    return ab_each(urls, 600, clients=8)


def kept_alive(server):
    """A worker has one connection at a time, until the client closes it."""
    return [sessions(server.port, 200)]


@pytest.mark.parametrize(
    "program,ports,options,use",
    [
        (["starman"], 1, [], one_shot),
        (["starman"], 1, [], kept_alive),
        (["starman"], 2, ["--preload-app"], one_shot),
        (["plackup", "-s", "Starman", "-E", "deployment"], 1, [], one_shot),
    ],
    ids=["one-shot", "kept alive", "two ports, preloaded app", "plackup"],
)
def test_starman(program, ports, options, use):
    """Where it has several ports it serializes by flock."""

    def make(environment, own):
        server = Starman(environment, own)
        server.program, server.ports, server.options = program, ports, options
        return server

    shimmed = run_shimmed(make, use)
    assert shimmed.hooks >= 2 * shimmed.recycled
    expect_alike(run_own(make, use), shimmed)


class Starlet(Perl):
    title = "Starlet"
    program = ("plackup", "-s", "Starlet", "-E", "deployment")

    def prepare(self):
        require_perl("Plack::Handler::Starlet")
        super().prepare()

    def listens(self):
        return ["--host", "127.0.0.1", "--port", self.port]

    def command(self):
        limits = ["--max-workers", 4, "--max-keepalive-reqs", 5]
        limits += ["--max-reqs-per-child", self.own or 1000000]  # 100 is the default
        program = [tool(self.program[0]), *self.program[1:]]
        return map(str, [*program, *self.listens(), *limits, "app.psgi"])


class StartedStarlet(Starlet):
    """By Server::Starter, which opens the listeners and would start another one if it ended."""

    is_tried = True  # it says so of itself, which has a listener and forks

    def listens(self):
        return []

    def _under_strace(self, command):
        environment = self.environment.copy()
        strace, *observed = super()._under_strace(command)
        observed = [strace, "-I2", *observed]  # it passes on a SIGTERM
        self.environment = environment  # for start_server, too
        listens = [f"--port=127.0.0.1:{port}" for port in self.open_ports()]
        return [tool("start_server"), *listens, "--", *observed]

    def find_master(self):
        with contextlib.suppress(psutil.Error):
            strace = super().find_master()  # which forks to try something out, too
            children = strace.children() if strace else []
            return next((child for child in children if child.name() != "strace"), None)
        return None

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.mark.parametrize(
    "kind,ports,use",
    [
        (Starlet, 1, one_shot),
        (Starlet, 1, kept_alive),
        (StartedStarlet, 1, kept_alive),
        (StartedStarlet, 2, one_shot),
    ],
    ids=["one-shot", "kept alive", "start_server", "start_server with two ports"],
)
def test_starlet(kind, ports, use):
    """Where it has several ports it serializes by flock, and they do not block."""

    def make(environment, own):
        server = kind(environment, own)
        server.ports = ports
        return server

    expect_alike(run_own(make, use), run_shimmed(make, use))
