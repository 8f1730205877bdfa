"""spamd, compared with its own --max-conn-per-child."""

import re
from collections import Counter

import pytest

from known import TwoPorts, expect_alike, run_own, run_shimmed
from servers import as_root, calls, exchange, tool

RULES = """
loadplugin Mail::SpamAssassin::Plugin::Check
util_rb_tld org
loadplugin Witness @directory@/Witness.pm
body GREETING /hello/
score GREETING 1
"""

PLUGIN = """
package Witness;
use parent "Mail::SpamAssassin::Plugin";

sub note {
    open my $witness, ">>", $ENV{WITNESS} or die $!;
    print $witness "@_ $$\\n";
}
END { note("END") }
1;
"""

MESSAGE = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: test\r\n\r\nhello\r\n"
CHECK = b"CHECK SPAMC/1.2\r\nContent-length: %d\r\n\r\n" % len(MESSAGE) + MESSAGE


class Spamd(TwoPorts):
    title = "spamd"
    options = ()

    def prepare(self):
        rules = self.directory / "rules"
        rules.mkdir()
        (rules / "local.cf").write_text(RULES.replace("@directory@", str(self.directory)))
        (self.directory / "Witness.pm").write_text(PLUGIN)

    def command(self):
        return [
            *[tool("spamd"), "--local", "--nouser-config", "--syslog=stderr"],
            *["--configpath=rules", "--siteconfigpath=rules"],
            f"--helper-home-dir={self.directory}",
            *[f"--listen=127.0.0.1:{port}" for port in self.open_ports()],
            *["--min-children=4", "--max-children=4", "--min-spare=1", "--max-spare=4"],
            *(["--username=nobody"] if as_root() else []),
            f"--max-conn-per-child={self.own or 1000000}",
            *self.options,
        ]

    def kinds(self):
        """But for a line for each connection, and for how many children idle just then. (How one
        ended, it logs wrong where another one ends meanwhile; the wait statuses tell.)"""
        about_others = "connection from|checking|clean message|result: |child states|--max-children"
        kinds = Counter()
        for kind, count in super().kinds().items():
            if not re.search(about_others, kind):
                kinds[re.sub(r"(handled cleanup of child pid).*", r"\1", kind)] += count
        return kinds


def use(server):
    ports = server.open_ports()

    def check(n):
        try:
            return b"EX_OK" in exchange(ports[n % len(ports)], CHECK).splitlines()[0]
        except (OSError, IndexError):
            return False

    return [calls(check, times=300, clients=8)]


@pytest.mark.parametrize(
    "ports,options",
    [(1, []), (2, []), (1, ["--round-robin"])],
    ids=["ordered to accept", "two ports", "round-robin"],
)
def test_spamd(ports, options):
    """Where it has several ports it serializes by flock."""

    def make(environment, own):
        server = Spamd(environment, own)
        server.ports, server.options = ports, options
        return server

    expect_alike(run_own(make, use), run_shimmed(make, use))
