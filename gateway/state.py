"""Application state shared by all routes."""

import random
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from common.serving.executor import BoundedExecutor
from gateway.audiences import Audiences
from gateway.budgets import Budgets
from gateway.clients import Clients
from gateway.picture_cache import PictureCache
from gateway.settings import GatewaySettings


@dataclass(frozen=True)
class Gateway:
    """Application state, created once at start.

    Attributes:
        settings: Settings of the gateway.
        clients: Clients of the services.
        audiences: Audience tags and sample users.
        executor: Runs blocking work.
        pictures: Cache of creatives.
        budgets: What the owners of keys may spend.
        seeds: Source of the seeds of generations.
    """

    settings: GatewaySettings
    clients: Clients
    audiences: Audiences
    executor: BoundedExecutor
    pictures: PictureCache
    budgets: Budgets
    seeds: random.Random


def gateway_of(request: Request) -> Gateway:
    """Return the state of the app; for frequent routes, since resolving a dependency takes time."""
    gateway: Gateway = request.app.state.gateway
    return gateway


async def _gateway(request: Request) -> Gateway:  # a plain function would run in a thread
    return gateway_of(request)


GatewayDependency = Annotated[Gateway, Depends(_gateway)]

IdempotencyKey = Annotated[
    str,
    Header(
        max_length=150,
        pattern=r"^[\x21-\x7e]*$",
        description="Idempotency key, e.g. a UUID. Repeating a request with the same key within 24 hours returns the"
        " original result.",
    ),
]
