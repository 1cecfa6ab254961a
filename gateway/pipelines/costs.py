"""Costs: what a generation will cost, as far as prices are known; taken out of the budget of its key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.errors import calling
from gateway.pipelines.brief import Brief
from gateway.pipelines.run import Run
from gateway.pipelines.scene import group_by_family
from gateway.settings import GatewaySettings
from productimage import GenerationClient
from productimage.generation.v1 import generation_pb2


@dataclass(frozen=True)
class Estimate:
    """What a generation will cost, in US dollars.

    Attributes:
        least: If everything succeeds at once.
        most: If the copy is corrected and every retry that is allowed is made.
        pictures: Pictures that an image model makes at least.
        prices: What the generation service says of its prices.
    """

    least: float
    most: float
    pictures: int
    prices: generation_pb2.EstimateCostsResponse


async def estimate(generation: GenerationClient, brief: Brief, settings: GatewaySettings) -> Estimate:
    """Estimate a generation.

    Raises:
        ApiError: The call failed.
    """
    async with calling("generation"):
        prices = await generation.estimate_costs(brief.product, brief.audience, brief.locale, platforms=brief.platforms)
    pictures = 0 if brief.user_background else len(group_by_family(brief, settings))
    once = pictures * prices.dollars_per_picture
    least = prices.dollars_per_copy + once
    most = 2 * prices.dollars_per_copy + once * (1 + settings.regenerations)
    return Estimate(least, most, pictures if prices.dollars_per_picture else 0, prices)


@asynccontextmanager
async def within_budget(run: Run, brief: Brief) -> AsyncIterator[None]:
    """Take what a generation costs out of the budget of its key, if that has one.

    Raises:
        ApiError: There is not enough left (429, BUDGET).
    """
    if not run.budgets.has_limit(run.owner):
        yield
        return
    expected = await estimate(run.clients.generation, brief, run.settings)
    reserved = await run.budgets.reserve(run.owner, expected.least)
    try:
        yield
    finally:
        if reserved is not None:
            await run.budgets.settle(reserved, run.provenance.dollars)
