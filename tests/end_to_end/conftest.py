"""In CI, and under SLSHIM_NOTHING_SKIPPED, what is missing is a failure; elsewhere a skip that
names it."""

import os
import signal

import pytest

import servers

pytest.register_assert_rewrite("known", "strangers", "unnamed")


MARKERS = {
    "alone": "takes a network, or all of the processors: nothing runs beside it, and it is in no namespaces",
    "long": "takes long and says little more than others do: ./run test --long",
}


def pytest_configure(config):
    """A run that is ended from outside takes its servers with it."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("ended by SIGTERM"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if call.excinfo and issubclass(call.excinfo.type, servers.Missing):
        if "CI" not in os.environ and "SLSHIM_NOTHING_SKIPPED" not in os.environ:
            report.outcome = "skipped"
            report.longrepr = (str(item.path), item.location[1], str(call.excinfo.value))


@pytest.fixture(scope="session", autouse=True)
def library():
    assert servers.LIBRARY.exists(), f"{servers.LIBRARY} is not built: ./run build"
