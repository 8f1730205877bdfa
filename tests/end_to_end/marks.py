"""Parameters of tests that take long and say little more than the others of the same test do."""

import pytest


def long(*values):
    """They are tried by ./run test --long alone."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


def long_but(often, values):
    """All the values in their order, of which these are tried often, the others as long() has it."""
    assert set(often) <= set(values)
    return [value if value in often else pytest.param(value, marks=pytest.mark.long) for value in values]
