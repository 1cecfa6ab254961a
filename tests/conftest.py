"""Settings of all tests."""

import gc
from pathlib import PurePosixPath

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """Leave what the imports have made out of the garbage collections to come, which would look at it each time."""
    gc.collect()
    gc.freeze()


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Keep a file's tests in one worker, and those of a folder that shares a system, so that it is started once."""

    def _split_scope(self, nodeid: str) -> str:
        path = PurePosixPath(nodeid.split("::")[0])
        return str(path.parent if path.parent.parent.name == "pipeline" else path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Return what hands tests out to workers."""
    return _Scheduling(config, log)
