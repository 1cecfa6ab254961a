from datetime import UTC, datetime, timedelta

import pytest

from gateway.budgets import Budgets
from gateway.counters import OwnCounters
from gateway.errors import ApiError


class Clock:
    now = datetime(2026, 11, 26, 22, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def test_what_is_left_may_be_spent_to_the_cent() -> None:
    budgets = Budgets({"shop": 1.0}, OwnCounters(), Clock())
    await budgets.reserve("shop", 0.6)
    await budgets.reserve("shop", 0.4)
    with pytest.raises(ApiError) as caught:
        await budgets.reserve("shop", 0.01)
    assert (caught.value.status, caught.value.reason) == (429, "BUDGET")
    assert "$0.00 of today's budget of $1.00" in caught.value.detail
    assert caught.value.headers == {"Retry-After": "7200"}


async def test_what_costs_nothing_goes_on() -> None:
    budgets = Budgets({"shop": 0.0}, OwnCounters(), Clock())
    await budgets.reserve("shop", 0.0)
    with pytest.raises(ApiError):
        await budgets.reserve("shop", 0.001)


async def test_what_was_reserved_is_replaced_by_what_it_has_cost() -> None:
    budgets = Budgets({"shop": 1.0}, OwnCounters(), Clock())
    reserved = await budgets.reserve("shop", 0.9)
    assert reserved is not None
    await budgets.settle(reserved, 0.1)
    await budgets.reserve("shop", 0.9)
    with pytest.raises(ApiError):
        await budgets.reserve("shop", 0.1)


async def test_owners_have_budgets_of_their_own_and_others_share_none() -> None:
    budgets = Budgets({"shop": 1.0, "*": 0.5}, OwnCounters(), Clock())
    await budgets.reserve("shop", 1.0)
    await budgets.reserve("other", 0.5)
    await budgets.reserve("third", 0.5)
    for owner in ("shop", "other", "third"):
        with pytest.raises(ApiError):
            await budgets.reserve(owner, 0.1)


async def test_without_a_budget_nothing_is_counted() -> None:
    budgets = Budgets({"shop": 1.0}, OwnCounters(), Clock())
    assert not budgets.has_limit("other")
    assert await budgets.reserve("other", 1e9) is None


async def test_a_new_day_begins_at_midnight() -> None:
    clock = Clock()
    budgets = Budgets({"shop": 1.0}, OwnCounters(), clock)
    yesterday = await budgets.reserve("shop", 1.0)
    assert yesterday is not None
    clock.now += timedelta(hours=2)
    await budgets.reserve("shop", 0.5)
    await budgets.settle(yesterday, 3.0)  # what was begun yesterday is yesterday's
    await budgets.reserve("shop", 0.5)
