"""Servers built on Net::Server's PreFork and PreForkSimple, compared with its max_requests. They
show as perl with a script of any name, so that there is no profile: the user says HUP@close, or the
default is taken."""

import re
from collections import Counter

import pytest

from known import TwoPorts, expect_alike, require_perl, run_own, run_shimmed
from servers import ab, at_once, sessions, tool

SERVER = """
package Witnessed;
use strict;
use warnings;
my ($kind, $serialize, $max_requests, @ports);
BEGIN {
    ($kind, $serialize, $max_requests, @ports) = splice @ARGV;
    eval "require Net::Server::$kind" or die $@;
    our @ISA = ("Net::Server::$kind");
}

sub note {
    open my $witness, ">>", $ENV{WITNESS} or die $!;
    print $witness "@_ $$\\n";
}
sub child_finish_hook { note("child_finish_hook") }
END { note("END") }

# HTTP, as far as it takes to keep a connection alive.
sub process_request {
    my $stays = 1;
    while ($stays && defined(my $line = <STDIN>)) {
        $stays = $line =~ m{HTTP/1\\.1};
        while (defined($line = <STDIN>) && $line =~ /\\S/) {
            $stays = 0 if $line =~ /^connection: *close/i;
        }
        print "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n",
            $stays ? "" : "Connection: close\\r\\n", "\\r\\nok\\n";
    }
}

Witnessed->run(
    host => "127.0.0.1", port => \\@ports, ipv => 4, user => $>, group => $), log_level => 4,
    serialize => $serialize, max_requests => $max_requests,
    min_servers => 4, max_servers => 4, min_spare_servers => 3, max_spare_servers => 3,
    check_for_waiting => 1,
);
"""


class NetServer(TwoPorts):
    """Those that are not told to leave by a signal leave by the default."""

    is_tried = True
    kind, serialize = "PreFork", "flock"

    def __init__(self, environment=None, own=None):
        super().__init__(environment, own)
        self.title = "SL_LEAVE" if "SL_LEAVE" in self.environment else "by default"

    def prepare(self):
        require_perl("Net::Server")
        (self.directory / "server.pl").write_text(SERVER)

    def command(self):
        words = [self.kind, self.serialize, self.own or 1000000, *self.open_ports()]
        return map(str, [tool("perl"), "server.pl", *words])

    def kinds(self):
        """But for a line for each connection, and with as many that tell of a start as children were
        started: PreForkSimple starts those together that ended together."""
        kinds = super().kinds()
        started = [int(count) for count in re.findall(r'^Starting "(\d+)" children', self.log(), re.M)]
        if started:
            kinds['Starting "#" children'] = sum(started)
        return Counter({kind: kinds[kind] for kind in kinds if "CONNECT" not in kind})


def use(server):
    if server.ports == 1:
        return [ab(server.url(), 400), sessions(server.port, 100)]
    return at_once(
        lambda: ab(server.url(), 400),
        lambda: sessions(server.other_port, 100),
    )


@pytest.fixture(
    scope="module",
    params=[
        ("PreFork", "flock", 2),
        ("PreFork", "semaphore", 1),
        ("PreFork", "pipe", 1),
        ("PreForkSimple", "flock", 1),
        ("PreForkSimple", "semaphore", 2),
        ("PreForkSimple", "pipe", 2),
    ],
    ids=lambda parts: " ".join(map(str, parts)),
)
def own(request):
    def make(environment, own):
        server = NetServer(environment, own)
        server.kind, server.serialize, server.ports = request.param
        return server

    return make, run_own(make, use)


# A child that ends while PreForkSimple's master does not wait it misses for up to 10 s; PreFork's
# for check_for_waiting, which is 10 s by default.
PATIENT = {"SL_REPLACE_TIMEOUT": "15s"}


def test_told(own):
    """Each child that ends runs its hook and its END."""
    make, own = own
    shimmed = run_shimmed(make, use, SL_LEAVE="HUP@close", **PATIENT)
    assert shimmed.hooks >= 2 * shimmed.recycled
    expect_alike(own, shimmed)


def test_by_default(own):
    """As clean for the clients and the log, and with none of these locks it hangs: a child of
    PreFork has both ends of the pipe by which it tells its master what it does, too."""
    make, own = own
    shimmed = run_shimmed(make, use, **PATIENT)
    has_pipe = make({}, None).kind == "PreFork" or make({}, None).serialize == "pipe"
    assert shimmed.ways == {"_exit@close" if has_pipe else "_exit@idle"}
    expect_alike(own, shimmed, hooks=False)


def test_told_to_exit():
    """In perl that is perl's exit: END runs, but no hook of Net::Server's."""

    def make(environment, own):
        server = NetServer(environment, own)
        server.serialize = "pipe"
        return server

    shimmed = run_shimmed(make, use, SL_LEAVE="exit@close", **PATIENT)
    assert shimmed.statuses.keys() == {"exited 0"}
    assert shimmed.recycled <= shimmed.hooks <= shimmed.recycled + 1
