"""What routes are handed: made once at start, kept on the app."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cachetools import LRUCache
from fastapi import Depends, Header, Request

from gateway.audiences import Audiences
from gateway.services import Services
from gateway.settings import GatewaySettings
from services.runtime.executor import BoundedExecutor

if TYPE_CHECKING:
    from gateway.routes.static import KeptPicture


@dataclass(frozen=True)
class Gateway:
    """All that the routes need.

    Attributes:
        settings: The gateway's.
        services: What is behind it.
        audiences: What an audience can be made of.
        executor: For work that blocks.
        pictures: Ads that were asked for lately, by their paths.
    """

    settings: GatewaySettings
    services: Services
    audiences: Audiences
    executor: BoundedExecutor
    pictures: "LRUCache[str, KeptPicture]"


def gateway_of(request: Request) -> Gateway:
    """Give what the app of a request holds; for routes that every page asks for, as a dependency takes its time."""
    gateway: Gateway = request.app.state.gateway
    return gateway


async def _gateway(request: Request) -> Gateway:  # not async, it would be run in a thread
    return gateway_of(request)


GatewayDependency = Annotated[Gateway, Depends(_gateway)]

IdempotencyKey = Annotated[
    str,
    Header(
        max_length=150,
        pattern=r"^[\x21-\x7e]*$",
        description="A key of your own for this request, such as a UUID: for a day, the same request with the same key"
        " gives its first result again.",
    ),
]
