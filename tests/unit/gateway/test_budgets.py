from datetime import UTC, datetime, timedelta

import pytest

from gateway.budgets import Budgets
from gateway.errors import ApiError


class Clock:
    now = datetime(2026, 11, 26, 22, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_what_is_left_may_be_spent_to_the_cent() -> None:
    budgets = Budgets({"shop": 1.0}, Clock())
    budgets.reserve("shop", 0.6)
    budgets.reserve("shop", 0.4)
    with pytest.raises(ApiError) as caught:
        budgets.reserve("shop", 0.01)
    assert (caught.value.status, caught.value.reason) == (429, "BUDGET")
    assert "$0.00 of today's budget of $1.00" in caught.value.detail
    assert caught.value.headers == {"Retry-After": "7200"}


def test_what_costs_nothing_goes_on() -> None:
    budgets = Budgets({"shop": 0.0}, Clock())
    budgets.reserve("shop", 0.0)
    with pytest.raises(ApiError):
        budgets.reserve("shop", 0.001)


def test_what_was_reserved_is_replaced_by_what_it_has_cost() -> None:
    budgets = Budgets({"shop": 1.0}, Clock())
    budgets.reserve("shop", 0.9)
    budgets.settle("shop", 0.9, 0.1)
    budgets.reserve("shop", 0.9)
    with pytest.raises(ApiError):
        budgets.reserve("shop", 0.1)


def test_owners_have_budgets_of_their_own_and_others_share_none() -> None:
    budgets = Budgets({"shop": 1.0, "*": 0.5}, Clock())
    budgets.reserve("shop", 1.0)
    budgets.reserve("other", 0.5)
    budgets.reserve("third", 0.5)
    for owner in ("shop", "other", "third"):
        with pytest.raises(ApiError):
            budgets.reserve(owner, 0.1)


def test_without_a_budget_nothing_is_counted() -> None:
    budgets = Budgets({"shop": 1.0}, Clock())
    assert not budgets.has_limit("other")
    budgets.reserve("other", 1e9)
    budgets.settle("other", 1e9, 1e9)


def test_a_new_day_begins_at_midnight() -> None:
    clock = Clock()
    budgets = Budgets({"shop": 1.0}, clock)
    budgets.reserve("shop", 1.0)
    clock.now += timedelta(hours=2)
    budgets.reserve("shop", 1.0)
    budgets.settle("shop", 1.0, 0.5)
    budgets.reserve("shop", 0.5)
