"""The command line's client: how long it waits for a gateway."""

import asyncio

import pytest

from cli.client import GatewayError, with_patience


async def _asked(*refusals: GatewayError) -> int:
    """Return how often a gateway is asked that refuses so, and then answers."""
    left = list(refusals)
    asked = 0
    async for attempt in with_patience():
        with attempt:
            asked += 1
            if left:
                raise left.pop(0)
    return asked


async def test_a_busy_gateway_is_asked_again() -> None:
    assert await _asked(GatewayError("busy", 429, 0.01), GatewayError("away", 0, 0.01)) == 3


async def test_nobody_waits_for_a_budget_until_tomorrow() -> None:
    async with asyncio.timeout(5):
        with pytest.raises(GatewayError, match="budget"):
            await _asked(GatewayError("The budget for today is spent.", 429, 40_000))


async def test_what_will_not_pass_is_told_at_once() -> None:
    with pytest.raises(GatewayError, match="wrong"):
        await _asked(GatewayError("wrong", 422))
