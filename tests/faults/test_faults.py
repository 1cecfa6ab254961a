"""A short run under fault injection; `make test-faults` is the long one."""

from pathlib import Path

import pytest

from tests.faults.harness import Plan, run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("store", ["disk", "s3"])
def test_nothing_is_lost_whatever_dies(tmp_path: Path, store: str) -> None:
    outcome = run(Plan(seed=1, seconds=6, store=store))
    assert not outcome.violations, "\n".join([f"kept: {outcome.save(tmp_path)}", *outcome.violations])
    assert outcome.entries > 0
    assert sum(outcome.faults.values()) > 0
