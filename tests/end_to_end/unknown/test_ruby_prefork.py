"""A prefork server written in Ruby by hand, with a handler for SIGTERM in its workers and without.
Nobody has such a profile: the user says TERM@close, or the default is taken. It recycles by itself
where it is told after how many connections."""

import pytest

from known import Known, expect_alike, run_own, run_shimmed
from servers import ab, sessions, tool

SERVER = r"""
require "socket"

port, kind, most = ARGV
listener = TCPServer.new("127.0.0.1", port.to_i)

def note(what)
  File.write(ENV["WITNESS"], "#{what} #{$$}\n", mode: "a")
end

# HTTP, as far as it takes to keep a connection alive.
def serve(connection)
  while line = connection.gets
    stays = line.include?("HTTP/1.1")
    while (line = connection.gets) && line != "\r\n"
      stays = false if line =~ /^connection: *close/i
    end
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n",
      stays ? "" : "Connection: close\r\n", "\r\nok\n")
    break unless stays
  end
ensure
  connection.close
end

def work(listener, kind, most)
  at_exit { note("at_exit") }
  ends = false
  kind == "trap" ? trap("TERM") { ends = true } : trap("TERM", "DEFAULT")
  until ends
    begin
      serve(listener.accept_nonblock)
      ends = true if most > 0 && (most -= 1) == 0
    rescue IO::WaitReadable
      IO.select([listener])
    end
  end
end

fork_one = -> { fork { work(listener, kind, most.to_i) } }
workers = 4.times.map { fork_one.call }
trap("TERM") { Process.kill("KILL", *workers); exit! 0 }
loop do
  workers.delete(Process.wait)
  $stderr.puts "worker ended: #{$?.exitstatus.inspect}"
  workers << fork_one.call
end
"""


class RubyPrefork(Known):
    kind = "trap"
    is_tried = True

    def __init__(self, environment=None, own=None):
        super().__init__(environment, own)
        self.title = "SL_LEAVE" if "SL_LEAVE" in self.environment else "by default"

    def prepare(self):
        (self.directory / "server.rb").write_text(SERVER)

    def command(self):
        return map(str, [tool("ruby"), "server.rb", self.port, self.kind, self.own or 0])


def use(server):
    return [ab(server.url(), 500), sessions(server.port, 100)]


def test_told():
    """Its exit handlers run. At accept would be late: it waits once more before it looks at what its
    handler noted."""
    expect_alike(run_own(RubyPrefork, use), run_shimmed(RubyPrefork, use, SL_LEAVE="TERM@close"))


@pytest.mark.parametrize("kind", ["trap", "no trap"])
def test_by_default(kind):
    """Before it waits, with no handler run: they are the master's, as far as anybody knows."""

    def make(environment, own):
        server = RubyPrefork(environment, own)
        server.kind = kind
        return server

    shimmed = run_shimmed(make, use)
    assert shimmed.ways == {"_exit@idle"}
    expect_alike(run_own(make, use), shimmed, hooks=False)
