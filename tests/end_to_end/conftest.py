"""In CI, and under SLSHIM_NOTHING_SKIPPED, what is missing is a failure; elsewhere a skip that
names it."""

import os
import signal

import pytest

import servers


def pytest_configure():
    """A run that is ended from outside takes its servers with it."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("ended by SIGTERM"))


def skip_what_is_missing(outcome):
    if outcome.excinfo and issubclass(outcome.excinfo[0], servers.Missing):
        if "CI" not in os.environ and "SLSHIM_NOTHING_SKIPPED" not in os.environ:
            outcome.force_exception(pytest.skip.Exception(str(outcome.excinfo[1])))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    skip_what_is_missing((yield))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    skip_what_is_missing((yield))


@pytest.fixture(scope="session", autouse=True)
def library():
    assert servers.LIBRARY.exists(), f"{servers.LIBRARY} is not built: ./run build"
