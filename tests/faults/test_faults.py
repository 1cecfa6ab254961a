"""A short run under fire; `make test-faults` is the long one."""

import pytest

from tests.faults.harness import Plan, run


@pytest.mark.parametrize("store", ["disk", "s3"])
def test_nothing_is_lost_whatever_dies(store: str) -> None:
    outcome = run(Plan(seed=1, seconds=12, store=store))
    assert outcome.violations == []
    assert outcome.entries > 0
    assert sum(outcome.faults.values()) > 0
