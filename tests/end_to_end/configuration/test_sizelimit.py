"""Apache2::SizeLimit's manual, example by example, with slshim in place of it: examples/Slshim.pm gives
a site that module's names, for the change of one line.

A handler at /grow unshares 64 KB at each request."""

import re
import socket

import pytest

from servers import TOP, Httpd, ab, get, growing, load_until_left, rounds_of, shim, wait_until

EXAMPLES = TOP / "examples"
CLEANUP = "PerlCleanupHandler Apache2::SizeLimit"
ENVIRONMENT = {"SL_APPLICATION": 1, "SL_MAX_LEAVING": "100%"}


def site(perl, config="", **variables):
    """Its <Perl> section says `perl`."""
    setup = f"""
PerlSwitches -I{EXAMPLES}
{growing(preloaded_mb=16, unshared_kb=64)}
<Perl>
use Slshim "Apache2::SizeLimit";
{perl}
</Perl>
{config}
"""
    return Httpd(shim(**ENVIRONMENT | variables), 1, ("perl",), setup, workers_at_start=4)


def script(perl):
    """A handler at /script that does this."""
    return f"""
<Perl>
package Script;
use Apache2::RequestRec ();
use Apache2::RequestIO ();
use Apache2::RequestUtil ();
use Apache2::Const -compile => "OK";

sub handler {{
    my $r = shift;
    {perl}
    $r->print("ok\\n");
    return Apache2::Const::OK;
}}
</Perl>
<Location /script>
    SetHandler modperl
    PerlOptions +GlobalRequest
    PerlResponseHandler Script
</Location>
"""


def load(server, path="/grow", requests=400):
    return ab(server.url(path), requests, clients=4).expect_good()


def expect_over(server, variable, limit_kb):
    assert f" {variable}={limit_kb} KB" in server.log()  # the first line has it
    assert "has no effect" not in server.log()
    load_until_left(server, 4, load)
    for leaving in server.leavings():
        assert list(leaving.limits) == [variable], leaving.text
        value, limit = leaving.limits[variable]
        assert limit == limit_kb
        assert value < limit_kb if variable == "SL_MIN_SHARED" else value > limit_kb


LIMITS = {
    "unshared": ("Apache2::SizeLimit->set_max_unshared_size(5_000);", "SL_MAX_UNSHARED", 5000),
    "unshared, variable": ("$Apache2::SizeLimit::MAX_UNSHARED_SIZE = 5000;", "SL_MAX_UNSHARED", 5000),
    "shared": ("Apache2::SizeLimit->set_min_shared_size({shared_kb});", "SL_MIN_SHARED", None),
    "shared, variable": ("$Apache2::SizeLimit::MIN_SHARE_SIZE = {shared_kb};", "SL_MIN_SHARED", None),
    "size": ("Apache2::SizeLimit->set_max_process_size({size_kb});", "SL_MAX_SIZE", None),
    "size, variable": ("$Apache2::SizeLimit::MAX_PROCESS_SIZE = {size_kb};", "SL_MAX_SIZE", None),
}


@pytest.fixture(scope="module")
def first():
    """What a child has that has served a request or two: (size, shared), in KB."""
    tells = script("$r->print(join(' ', Apache2::SizeLimit->_check_size), ' ');")
    with site("", tells) as server:
        load(server, "/grow", 4)
        size, shared, _ = get(server.url("/script")).split()[:3]
        return int(size), int(shared)


@pytest.mark.parametrize("name", LIMITS)
def test_every_request_is_checked(name, first):
    """The synopsis."""
    perl, variable, limit_kb = LIMITS[name]
    size, shared = first
    known = {"shared_kb": shared - 6000, "size_kb": size + 4000}
    limit_kb = limit_kb or known["shared_kb" if variable == "SL_MIN_SHARED" else "size_kb"]
    with site(perl.format(**known), CLEANUP) as server:
        expect_over(server, variable, limit_kb)


SETTERS = {
    "setmax": ("SL_MAX_SIZE", 1000), "setmin": ("SL_MIN_SHARED", 10_000_000),
    "setmax_unshared": ("SL_MAX_UNSHARED", 100),
}  # fmt: skip


@pytest.mark.parametrize("arguments", ["", ", $r"], ids=["global request", "its request"])
@pytest.mark.parametrize("function", SETTERS)
def test_only_what_is_likely_to_get_big(function, arguments):
    """In a script; what other requests do does not matter until it is called."""
    variable, limit_kb = SETTERS[function]
    call = f"Apache2::SizeLimit::{function}({limit_kb}{arguments});"
    with site("", script(call), SL_CHECK_EVERY=1000000) as server:
        load(server)
        assert server.leavings() == []
        load(server, "/script", 8)
        load_until_left(server, 1, rounds_of(4, 4, "/script"))
        assert server.leavings()[0].limits[variable][1] == limit_kb


def test_only_those_requests_that_ask_for_it():
    """add_cleanup_handler"""
    perl = "Apache2::SizeLimit->set_max_unshared_size(1_000);"
    handler = script("Apache2::SizeLimit->add_cleanup_handler($r);")
    with site(perl, handler, SL_CHECK_EVERY=1000000) as server:
        load(server)
        assert server.leavings() == []
        load(server, "/script", 8)
        assert len(server.leavings()) > 0


def test_own_cleanup_handler():
    config = script("") + """
<Perl>
package My::CleanupHandler;
sub handler { my $r = shift; return Apache2::SizeLimit->handler($r) }
$INC{"My/CleanupHandler.pm"} = 1;
</Perl>
PerlCleanupHandler My::CleanupHandler
"""
    with site("Apache2::SizeLimit->set_max_unshared_size(5_000);", config) as server:
        expect_over(server, "SL_MAX_UNSHARED", 5000)
        assert ", requests " in server.leavings()[0].text  # the handler counted them


@pytest.mark.parametrize(
    "perl",
    ["Apache2::SizeLimit->set_check_interval(25);",
     "$Apache2::SizeLimit::CHECK_EVERY_N_REQUESTS = 25;"],
    ids=["method", "variable"],
)  # fmt: skip
def test_every_n_requests(perl):
    """All workers leave at a multiple of N: they are over the limit by the 25th."""
    perl += "Apache2::SizeLimit->set_max_unshared_size(1_000);"
    with site(perl, CLEANUP) as server:
        load_until_left(server, 8, load)
        left = server.leavings()
        assert {leaving.connections - leaving.served_meanwhile for leaving in left} == {25}


REASONS = {
    "not preloaded": ({"LD_PRELOAD": ""}, "libslshim.so is not preloaded"),
    "not asked for": ({"SL_APPLICATION": 0}, "slshim says: Operation not supported"),
}


@pytest.mark.parametrize("name", REASONS)
def test_site_is_told_that_its_limits_do_nothing(name):
    variables, reason = REASONS[name]
    with site("Apache2::SizeLimit->set_max_unshared_size(1_000);", CLEANUP, **variables) as server:
        load(server)
        assert f"Slshim: SL_MAX_UNSHARED=1000K does nothing, for {reason}" in server.log()
        assert server.leavings() == []


def copy_on_write(check):
    """The manual's example; the size and the shared memory before the write, and after it. The code
    that takes part has been used before, in this child and its siblings: its pages become shared when
    another one comes to use them."""
    config = """
<Perl>
package X;
use strict;
use Apache2::RequestRec ();
use Apache2::RequestIO ();
use Apache2::Const -compile => qw(OK);

my $x = "a" x (1024*1024);

sub handler {
    my $r = shift;
    my $first = "a" x 10;
    $first =~ tr/a/b/;
    my @first = @check@;
    my ($size, $shared) = @check@;
    $x =~ tr/a/b/;
    my ($size2, $shared2) = @check@;
    $r->content_type('text/plain');
    $r->print("1: size=$size shared=$shared\\n");
    $r->print("2: size=$size2 shared=$shared2\\n");
    return Apache2::Const::OK;
}
</Perl>
<Location /X>
    SetHandler modperl
    PerlResponseHandler X
</Location>
"""
    with site("", config.replace("@check@", check)) as server:
        load(server)
        text = get(server.url("/X"))
    return [tuple(map(int, pair)) for pair in re.findall(r"size=(\d+) shared=(\d+)", text)]


@pytest.mark.parametrize("smaps", [1, 0], ids=["smaps", "USE_SMAPS=0"])
@pytest.mark.parametrize(
    "check", ["Apache2::SizeLimit->_check_size()", "$Apache2::SizeLimit::HOW_BIG_IS_IT->()"]
)
def test_copy_on_write(check, smaps):
    """Shared memory has lost 1024 KB, and the size is what it was; whatever USE_SMAPS says."""
    call = f"($Apache2::SizeLimit::USE_SMAPS = {smaps}, {check})[1, 2]"
    (size, shared), (size2, shared2) = copy_on_write(call)
    assert size2 == size
    code = 128  # of the libraries, that the handler is the first to use
    assert 1024 - code < shared - shared2 < 1024 + code


def test_kept_alive_connection():
    """All of its requests are counted and checked, and it is never cut: its worker leaves when it has
    ended."""
    keep = f"{CLEANUP}\nKeepAlive On\nMaxKeepAliveRequests 0"
    with site("Apache2::SizeLimit->set_max_unshared_size(2_000);", keep) as server:
        with socket.create_connection(("127.0.0.1", server.ports[0]), timeout=10) as client:
            for _ in range(100):
                client.sendall(b"GET /grow HTTP/1.1\r\nHost: localhost\r\n\r\n")
                reply = client.recv(65536)
                assert reply.startswith(b"HTTP/1.1 200"), reply
            assert server.leavings() == []
        wait_until(lambda: server.leavings(), "it left")
        left = server.leavings()[0]
        assert left.connections <= 2  # it may have answered the look whether the server is there
        assert re.search("requests 10[0-2],", left.text)  # the end of a connection may count, too
