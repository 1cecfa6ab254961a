"""Settings of all tests."""

import gc

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """Leave what the imports have made out of the garbage collections to come, which would look at it each time."""
    gc.collect()
    gc.freeze()
