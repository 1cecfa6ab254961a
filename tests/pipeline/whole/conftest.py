"""One system for all tests in this folder, which leave it as it is: to start it takes as long as many tests."""

from collections.abc import Iterator

import pytest

from testing.system import System, started


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Yield the five real processes with the engines that `make run` starts, each of which makes as little as it may."""
    settings = {"GATEWAY_BACKGROUNDS": "square", "GATEWAY_REGENERATIONS": "0"}
    with started(tmp_path_factory.mktemp("store"), settings) as running:
        yield running
