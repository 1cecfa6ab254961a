"""Budgets: what the owner of a key may spend on models in clouds in a day."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from gateway.errors import ApiError

EVERYBODY = "*"
"""Name in the settings for every owner that is not named."""


def _now() -> datetime:
    return datetime.now(UTC)


class Budgets:
    """What was spent today (UTC), by owner, in this process.

    Args:
        dollars: Budget of a day, by owner; "*" is that of every other.
        now: The clock.
    """

    def __init__(self, dollars: Mapping[str, float], now: Callable[[], datetime] = _now) -> None:
        self._dollars = dollars
        self._now = now
        self._day = now().date()
        self._spent: dict[str, float] = {}

    def has_limit(self, owner: str) -> bool:
        """Return whether an owner has a budget."""
        return self._limit(owner) is not None

    def reserve(self, owner: str, dollars: float) -> None:
        """Take what a run will cost at least out of the budget of today.

        Raises:
            ApiError: There is not enough left (429, BUDGET).
        """
        limit = self._limit(owner)
        if limit is None:
            return
        spent = self._today().get(owner, 0.0)
        if dollars > 0 and spent + dollars > limit:
            detail = (
                f"This would cost about ${dollars:.2f}, and ${max(limit - spent, 0):.2f} of today's budget of"
                f" ${limit:.2f} are left: ask for fewer sizes, wait until tomorrow (UTC), or have the budget raised."
            )
            raise ApiError(429, detail, "BUDGET", {"Retry-After": str(self._seconds_to_tomorrow())})
        self._spent[owner] = spent + dollars

    def settle(self, owner: str, reserved: float, dollars: float) -> None:
        """Replace what was reserved for a run by what it has cost."""
        if self._limit(owner) is not None:
            spent = self._today()
            spent[owner] = max(0.0, spent.get(owner, 0.0) - reserved) + dollars

    def _limit(self, owner: str) -> float | None:
        return self._dollars.get(owner, self._dollars.get(EVERYBODY))

    def _today(self) -> dict[str, float]:
        if self._now().date() != self._day:
            self._day, self._spent = self._now().date(), {}
        return self._spent

    def _seconds_to_tomorrow(self) -> int:
        now = self._now()
        tomorrow = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        return math.ceil((tomorrow - now).total_seconds())
