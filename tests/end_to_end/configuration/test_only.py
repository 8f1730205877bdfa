"""SL_ONLY: who is not named does nothing and says nothing; and together with SL_LEAVE it tells the
workers that a master starts by execve, which nothing else tells from servers of their own."""

import re

import pytest

from servers import (
    HandWritten, Httpd, LeakyPrefork, ab, get, load_until, load_until_left, page_of, shim, shim_lines,
    wait_until
)  # fmt: skip
from started import NAMED, Started
from strangers import Memcached, PhpBuiltIn, Redis, SocatFork


def used(server, requests=500, is_enough=lambda: True):
    """After some load, which must not have lost anything."""
    with server:
        ab(server.url(), requests).expect_good()
        load_until(server, is_enough)
        assert "ended with status" not in server.log()
        assert get(server.url()) == "ok\n"
        assert server.is_running()
        said = server.log()
    server.log = lambda: said  # at its end a worker may be started whose master is gone
    return server


# ---------------------------------------------------------------------- named


@pytest.mark.parametrize(
    ("language", "only"),
    [
        *[("python3", "worker"), ("perl", "worker"), ("ruby", "worker")],
        *[("python3", "other,w?rk*"), ("perl", "perl*")],
    ],
)
def test_started_workers_leave(language, only):
    """Each says no more than that."""
    variables = NAMED | {"SL_ONLY": only, "SL_MAX_CONNECTIONS": 20}
    server = Started(shim(**variables), language=language)
    used(server, is_enough=lambda: len(server.leavings()) >= 15)
    said = [line for line in server.said() if not line.startswith("master[")]
    assert len(said) == len(server.leavings()) >= 15
    assert all(re.match(r"worker\[\d+\] leaves by _exit@idle, ", line) for line in said)


def test_started_workers_say_what_is_wrong():
    """Nobody else is asked."""
    for variables in ({"SL_MAX_SIZE": "huge"}, {"SL_MAX_CONNECTIONS": 1, "SL_LEAVE": "soon"}):
        said = used(Started(shim(**NAMED | variables)), requests=40).said()
        assert len(said) == 4
        assert all(re.match(r"worker\[\d+\]: SL_\w+=\"\w+\" is refused", line) for line in said)


@pytest.mark.parametrize("missing", NAMED)
def test_started_workers_stay_unless_both_are_said(missing):
    variables = {name: value for name, value in NAMED.items() if name != missing}
    server = used(Started(shim(SL_MAX_CONNECTIONS=1, **variables)))
    said = [line for line in server.said() if not line.startswith("master[")]
    assert said == []


# ---------------------------------------------------------------- never a master


@pytest.mark.parametrize("way", ["_exit@idle", "exit@accept", "QUIT@close"])
def test_server_whose_parent_does_not_hold_its_listener_stays(way):
    """It was bound by another program in the same process: with that the socket would go."""
    server = used(Started(shim(SL_MAX_CONNECTIONS=1, **NAMED | {"SL_LEAVE": way}), by="exec"))
    assert len(server.said()) == 1
    assert "is not watched: its parent is not seen to hold the listener" in server.said()[0]


@pytest.mark.parametrize("way", ["_exit@idle", "QUIT@close"])
def test_started_server_that_makes_a_listener_stays(way):
    server = used(Started(shim(SL_MAX_CONNECTIONS=1, **NAMED | {"SL_LEAVE": way}), "own_listener"))
    assert server.said() == []


@pytest.mark.parametrize("way", ["_exit@idle", "QUIT@close"])
def test_started_server_that_has_children_stays(way):
    """They may be its workers."""
    variables = NAMED | {"SL_LEAVE": way, "SL_MAX_CONNECTIONS": 1, "SL_REPLACE_TIMEOUT": "1s"}
    with Started(shim(**variables), "helper") as server:
        load_until(server, lambda: "may be the master of that" in server.log())
        load_until(server, lambda: True)
        assert server.leavings() == []
        assert server.log().count("stays") == server.log().count("may be the master of that") == 1


@pytest.mark.parametrize("server_class", [Redis, PhpBuiltIn])
def test_server_in_the_foreground_stays(server_class):
    """A single process, and one beside its children: named, told to leave, and over the limit."""
    named = {"SL_ONLY": "redis-server,php*", "SL_LEAVE": "exit@idle"}
    with server_class(shim(SL_MAX_CONNECTIONS=1, **named)) as server:
        server.use()
        assert server.is_running()
        assert len(server.leavings()) <= server_class.trials
        assert server.stop() == 0


def test_named_master_that_never_replaces_loses_one():
    """That a user names it does not prove that it does."""
    variables = {"SL_ONLY": "hand_written", "SL_LEAVE": "_exit@idle", "SL_REPLACE_TIMEOUT": "1s"}
    with HandWritten(shim(SL_MAX_CONNECTIONS=1, **variables), oddity="never_replaces") as server:
        load_until(server, lambda: "no new worker came to accept" in server.log())
        load_until(server, lambda: True)
        assert len(server.leavings()) == 1


# ------------------------------------------------------------------- not named


LEFT_OUT = (
    "and its siblings are left alone, because SL_ONLY="
    "other,leaky,*fork? does not match its name; add {} if they are to be recycled, too"
)


def shares_memory(server):
    return page_of(server.master.pid) is not None


@pytest.mark.parametrize(
    "variables",
    [{}, {"SL_MAX_SIEZ": 1, "SL_LEAVE": "_exit@idle"}, {"SL_LOG": "{}/log"}],
    ids=["limit", "told to leave", "file"],
)
def test_who_has_workers_and_is_not_named_says_so_once(variables, tmp_path):
    """Nothing else happens, however many workers it forks, and whoever of them says so."""
    variables = {name: str(value).format(tmp_path) for name, value in variables.items()}
    environment = shim(SL_ONLY="other,leaky,*fork?", SL_MAX_CONNECTIONS=1, **variables)
    with LeakyPrefork(environment, workers=4, preloaded_mb=1) as server:
        for _ in range(3):
            ab(server.url(), 100).expect_good()
            before = server.pids()
            for worker in server.workers():
                worker.terminate()
            wait_until(lambda: len(server.pids() - before) == 4, "others have come")
        ab(server.url(), 100).expect_good()
        assert server.stop() == 0
        file = tmp_path / "log"
        said = shim_lines(file.read_text() if "SL_LOG" in variables else server.log())
        assert len(said) == 1
        assert said[0].endswith("] " + LEFT_OUT.format("leaky_prefork"))


def test_daemon_that_is_not_named_says_so_once():
    """It forks after it listens, and its workers are that child's."""
    environment = shim(SL_ONLY="other,leaky,*fork?", SL_MAX_CONNECTIONS=1)
    with Httpd(environment, arguments=("-k", "start"), workers_at_start=4) as server:
        ab(server.url(), 200).expect_good()
        said = shim_lines(server.log())
        assert len(said) == 1
        assert said[0].endswith("] " + LEFT_OUT.format("apache2"))


@pytest.mark.parametrize("variables", [{"SL_PROBE": ""}, {"SL_STRICT": 1}])
def test_wrong_values_of_who_is_not_named_are_nobodys_business(variables):
    environment = shim(SL_ONLY="other,leaky,*fork?", SL_MAX_SIZE="huge", **variables)
    with LeakyPrefork(environment, workers=2, preloaded_mb=1) as server:
        ab(server.url(), 100).expect_good()
        assert not shares_memory(server)
        assert server.stop() == 0
        assert server.log() == ""


@pytest.mark.parametrize("server_class", [Redis, Memcached, SocatFork])
def test_who_has_no_workers_and_is_not_named_is_inert(server_class):
    """A single process, an orphan, and one that forks for each connection."""
    with server_class(shim(SL_ONLY="other", SL_MAX_CONNECTIONS=1)) as server:
        server.use()
        assert server.log() == ""


@pytest.mark.parametrize("only", ["leaky_prefork", "other,leaky_*", "*"])
def test_who_is_named_is_watched(only):
    environment = shim(SL_ONLY=only, SL_MAX_CONNECTIONS=5, SL_LEAVE="QUIT@close")
    with LeakyPrefork(environment, workers=4, preloaded_mb=1) as server:
        load_until_left(server, 15)
        assert shares_memory(server)
