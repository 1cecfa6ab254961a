"""The app: routes, error handlers and middleware put together."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from common.serving.executor import BoundedExecutor
from common.version import VERSION
from gateway.audiences import Audiences
from gateway.budgets import Budgets
from gateway.clients import open_clients
from gateway.counters import Counters, open_counters
from gateway.errors import add_error_handlers
from gateway.middleware.access import GUARDED, KEY_HEADER, AccessControl
from gateway.middleware.admission import Admission
from gateway.middleware.body import BodyLimits
from gateway.middleware.context import RequestContext
from gateway.middleware.headers import SecurityHeaders
from gateway.middleware.multipart import MultipartDialects
from gateway.middleware.origin import OriginControl
from gateway.picture_cache import PictureCache
from gateway.routes import (
    audiences,
    brands,
    compose,
    docs,
    health,
    images,
    products,
    records,
    static,
    status,
    styles,
    web,
)
from gateway.settings import GatewaySettings
from gateway.state import Gateway

DESCRIPTION = "One product photo in, finished audience-targeted ads out."
SERVERS = [{"url": "/", "description": "This gateway."}]

ROUTES = (health, static, status, audiences, records, products, images, styles, web, compose, brands, docs)
"""Compared with a request one after another, so what is asked for most comes first."""
GUARDS = {
    "HTTPBearer": {"type": "http", "scheme": "bearer"},
    "APIKeyHeader": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
}
"""Two ways to send a key, for the OpenAPI description."""


class _GuardedApp(FastAPI):
    """Describes that calls need a key: AccessControl decides before a route is reached and its body is read."""

    def openapi(self) -> dict[str, Any]:
        """Return the description."""
        if self.openapi_schema is None:
            description = super().openapi()
            description["components"]["securitySchemes"] = GUARDS
            refused = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}}
            refusals = {
                "401": {"description": "Unauthorized", **refused},
                "429": {"description": "Too Many Requests", **refused},
            }
            for path, operations in description["paths"].items():
                if path.startswith(GUARDED):
                    for operation in operations.values():
                        operation["security"] = [{name: []} for name in GUARDS]
                        operation["responses"] = operation["responses"] | refusals
        return super().openapi()


def create_app(settings: GatewaySettings) -> FastAPI:
    """Create the app; it connects to the services when it starts."""
    counters = open_counters(settings.counters_url.get_secret_value(), settings.request_deadline_seconds)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        clients = open_clients(settings)
        executor = BoundedExecutor(settings.workers, settings.queue_size)
        app.state.gateway = Gateway(
            settings=settings,
            clients=clients,
            audiences=Audiences(settings.audience_file, settings.users_file),
            executor=executor,
            pictures=PictureCache(settings.picture_cache_bytes, settings.picture_cache_seconds),
            budgets=Budgets(settings.budgets, counters),
            seeds=random.Random(settings.seed),  # noqa: S311  # not a secret
        )
        yield
        await clients.close()
        await counters.close()
        executor.close()

    app = (_GuardedApp if settings.api_keys else FastAPI)(
        title="Product Image Generator",
        description=DESCRIPTION,
        version=VERSION,
        servers=SERVERS,
        lifespan=lifespan,
        docs_url=None,
        redirect_slashes=False,  # the Location would be made from the Host header
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # RequestContext tells of every request, once
    )
    # Not by include_router: it would compare a request with each router, and then with the routes of the router.
    app.router.routes += [route for routes in ROUTES for route in routes.router.routes]
    app.router.routes += [head for routes in ROUTES for head in routes.router.heads().routes]
    add_error_handlers(app)
    _add_middleware(app, settings, counters)
    return app


def _add_middleware(app: FastAPI, settings: GatewaySettings, counters: Counters) -> None:
    """Add the middleware. The last one is the outermost: CORS headers are on every response, errors included."""
    app.add_middleware(MultipartDialects, max_parts=settings.max_form_parts)
    app.add_middleware(BodyLimits, settings=settings)
    app.add_middleware(Admission, settings=settings, counters=counters)
    if settings.api_keys:
        app.add_middleware(AccessControl, keys=settings.api_keys, rate=settings.rate_limit, counters=counters)
    app.add_middleware(
        OriginControl, hosts=settings.allowed_hosts, origins=settings.cors_origins, any_host=bool(settings.api_keys)
    )
    app.add_middleware(SecurityHeaders, pictures_elsewhere=settings.static_delivery == "redirect")
    app.add_middleware(RequestContext)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "HEAD", "DELETE"],
        allow_headers=["Authorization", KEY_HEADER, "Idempotency-Key", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Retry-After"],
    )
