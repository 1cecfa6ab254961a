"""Budgets: what the owner of a key may spend on models in clouds in a day."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.counters import Counters
from gateway.errors import ApiError

EVERYBODY = "*"
"""Name in the settings for every owner that is not named."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Reservation:
    """What was taken out of a budget.

    Attributes:
        account: The owner's, of the day on which it was taken.
        dollars: How much.
        alone: Whether this gateway alone has counted it.
    """

    account: str
    dollars: float
    alone: bool


class Budgets:
    """What was spent today (UTC), by owner.

    Args:
        dollars: Budget of a day, by owner; "*" is that of every other.
        counters: Where it is counted.
        now: The clock.
    """

    def __init__(self, dollars: Mapping[str, float], counters: Counters, now: Callable[[], datetime] = _now) -> None:
        self._dollars = dollars
        self._counters = counters
        self._now = now

    def has_limit(self, owner: str) -> bool:
        """Return whether an owner has a budget."""
        return self._limit(owner) is not None

    async def reserve(self, owner: str, dollars: float) -> Reservation | None:
        """Take what a run will cost at least out of the budget of today; return None if its owner has none.

        Raises:
            ApiError: There is not enough left (429, BUDGET).
        """
        limit = self._limit(owner)
        if limit is None:
            return None
        account = f"{self._now().date()}:{owner}"
        spending = await self._counters.spend(account, dollars, limit)
        if not spending.granted:
            detail = (
                f"This would cost about ${dollars:.2f}, and ${max(limit - spending.before, 0):.2f} of today's budget of"
                f" ${limit:.2f} are left: ask for fewer sizes, wait until tomorrow (UTC), or have the budget raised."
            )
            raise ApiError(429, detail, "BUDGET", {"Retry-After": str(self._seconds_to_tomorrow())})
        return Reservation(account, dollars, spending.alone)

    async def settle(self, reservation: Reservation, dollars: float) -> None:
        """Replace what was reserved for a run by what it has cost."""
        await self._counters.correct(reservation.account, dollars - reservation.dollars, alone=reservation.alone)

    def _limit(self, owner: str) -> float | None:
        return self._dollars.get(owner, self._dollars.get(EVERYBODY))

    def _seconds_to_tomorrow(self) -> int:
        now = self._now()
        tomorrow = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        return math.ceil((tomorrow - now).total_seconds())
