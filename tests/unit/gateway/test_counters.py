"""What counters promise; `tests/valkey` holds shared ones to the same."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from limits import parse

from gateway import counters as module
from gateway.counters import Counters, OwnCounters, SharedCounters
from gateway.settings import GatewaySettings

NOBODY = "valkey://127.0.0.1:1"


@pytest.fixture(params=["own", "away"])
async def counters(request: pytest.FixtureRequest) -> AsyncIterator[Counters]:
    """Return counters of this process, and shared ones that are away."""
    made: Counters = OwnCounters() if request.param == "own" else SharedCounters(NOBODY, 60)
    yield made
    await made.close()


class CountersContract:
    """Tests of any counters."""

    async def test_calls_above_the_rate_wait(self, counters: Counters) -> None:
        rate = parse("2/minute")
        assert [await counters.seconds_over(rate, "shop") for _ in range(2)] == [0, 0]
        assert 1 <= await counters.seconds_over(rate, "shop") <= 60
        assert await counters.seconds_over(rate, "other") == 0

    async def test_what_is_left_may_be_spent_to_the_cent(self, counters: Counters) -> None:
        for _ in range(10):
            assert (await counters.spend("today:shop", 0.1, 1.0)).granted
        refused = await counters.spend("today:shop", 0.01, 1.0)
        assert not refused.granted
        assert refused.before == pytest.approx(1.0)
        assert (await counters.spend("today:shop", 0.0, 1.0)).granted, "what costs nothing goes on"
        assert (await counters.spend("tomorrow:shop", 1.0, 1.0)).granted
        assert not (await counters.spend("today:other", 1.01, 1.0)).granted

    async def test_what_was_spent_is_corrected_and_never_below_nothing(self, counters: Counters) -> None:
        first = await counters.spend("today:shop", 0.9, 1.0)
        assert first.granted
        await counters.correct("today:shop", -0.8, alone=first.alone)
        assert (await counters.spend("today:shop", 0.9, 1.0)).granted
        await counters.correct("today:shop", -5, alone=first.alone)
        assert (await counters.spend("today:shop", 1.0, 1.0)).granted
        await counters.correct("today:shop", 3, alone=first.alone)
        assert (await counters.spend("today:shop", 0.1, 4.0)).before == pytest.approx(4.0)

    async def test_places_are_given_out_and_taken_back(self, counters: Counters) -> None:
        first = await counters.take("generations", "shop", 3, 2)
        second = await counters.take("generations", "shop", 3, 2)
        assert first is not None
        assert second is not None
        assert await counters.take("generations", "shop", 3, 2) is None, "its share"
        third = await counters.take("generations", "other", 3, 2)
        assert third is not None
        assert await counters.take("generations", "third", 3, 2) is None, "all"
        assert await counters.take("uploads", "third", 3, 2) is not None, "another kind"
        await counters.release(first)
        assert await counters.take("generations", "shop", 3, 2) is not None

    async def test_many_at_one_time_take_what_there_is(self, counters: Counters) -> None:
        places = await asyncio.gather(*(counters.take("generations", f"caller{one % 9}", 7, 2) for one in range(60)))
        assert len([place for place in places if place is not None]) == 7
        spent = await asyncio.gather(*(counters.spend("today:shop", 0.25, 1.0) for _ in range(60)))
        assert sum(one.granted for one in spent) == 4


class TestCounters(CountersContract):
    pass


async def test_counters_that_are_away_are_asked_again_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AWAY_SECONDS", 30.0)
    shared = SharedCounters(NOBODY, 60)
    before = module.FAILURES._value.get()
    for _ in range(5):
        await shared.spend("today:shop", 0.1, 1.0)
        await shared.seconds_over(parse("9/minute"), "shop")
    assert module.FAILURES._value.get() == before + 1
    await shared.close()


@pytest.mark.parametrize("url", ["localhost:6379", "http://valkey", "valkey://", "valkey:///0"])
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="valkey://valkey:6379"):
        GatewaySettings(counters_url=url)
