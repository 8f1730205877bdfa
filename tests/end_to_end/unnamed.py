"""What is common to the tests of servers that no profile names, and whose workers leave all the
same."""

from servers import ab, get, leavings, load_until

PACE = {"SL_MAX_LEAVING": 4, "SL_REPLACE_TIMEOUT": "3s"}


def expect_recycled(server, way, at_least=15):
    """Runs it under load; returns what left."""
    with server:
        load = ab(server.url(), 1000)
        assert load.failed == 0, load.output
        more = load_until(server, lambda: len(leavings(server.log())) >= at_least)
        left = leavings(server.log())
        print(f"{load.requests + more} connections, 0 failed, {len(left)} leavings")
        assert {leaving.way for leaving in left} == {way}
        assert "ended with status" not in server.log()
        assert get(server.url()) == "ok\n"
        assert server.stop() == 0
    return left
