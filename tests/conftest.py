"""Settings of all tests."""

import gc
from collections.abc import Sequence

import pytest
from hypothesis import settings

SHARED = ("instant", "whole")
"""Systems that the tests of several files share."""

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """Leave what the imports have made out of the garbage collections to come, which would look at it each time."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Keep a file's tests in one worker, and those of a shared system, so that it is started once."""
    for item in items:
        held = getattr(item, "fixturenames", ())
        group = next((system for system in SHARED if system in held), item.nodeid.split("::")[0])
        item.add_marker(pytest.mark.xdist_group(group))
