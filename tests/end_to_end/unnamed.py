"""What is common to the tests of servers that no profile names, and whose workers leave all the
same."""

from servers import ab, get, load_until_left

PACE = {"SL_MAX_LEAVING": 4, "SL_REPLACE_TIMEOUT": "3s"}


def expect_clean_end(server):
    """No worker of it has crashed; it still answers, and stops in order."""
    assert "ended with status" not in server.log()
    assert get(server.url()) == "ok\n"
    assert server.stop() == 0


def expect_recycled(server, way, at_least=15):
    """Runs it under load; returns what left."""
    with server:
        load = ab(server.url(), 1000).expect_good()
        more = load_until_left(server, at_least)
        left = server.leavings()
        print(f"{load.requests + more} connections, 0 failed, {len(left)} leavings")
        assert {leaving.way for leaving in left} == {way}
        expect_clean_end(server)
    return left
