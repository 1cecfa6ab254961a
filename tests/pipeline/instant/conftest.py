"""One system for all tests in this folder, which leave it as it is: to start it takes as long as many tests."""

from collections.abc import Iterator

import pytest

from testing.system import INSTANT, System, started


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Yield the five real processes with engines that start instantly."""
    with started(tmp_path_factory.mktemp("store"), INSTANT) as running:
        yield running
