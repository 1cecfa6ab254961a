"""What routes are handed: made once at start, kept on the app."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from gateway.audiences import Audiences
from gateway.services import Services
from gateway.settings import GatewaySettings
from services.runtime.executor import BoundedExecutor


@dataclass(frozen=True)
class Gateway:
    """All that the routes need."""

    settings: GatewaySettings
    services: Services
    audiences: Audiences
    executor: BoundedExecutor


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


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
