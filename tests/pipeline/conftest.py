"""A system that several modules share: to start one takes as long as many tests."""

from collections.abc import Iterator

import pytest

from testing.system import INSTANT, System, started


@pytest.fixture(scope="session")
def instant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Yield the five real processes with engines that start instantly, for tests that leave them as they are."""
    with started(tmp_path_factory.mktemp("store"), INSTANT) as running:
        yield running


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Yield the five real processes with the engines that `make run` starts, each of which makes as little as it may."""
    settings = {"GATEWAY_BACKGROUNDS": "square", "GATEWAY_REGENERATIONS": "0"}
    with started(tmp_path_factory.mktemp("store"), settings) as running:
        yield running
