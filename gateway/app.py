"""The app: routes, error handlers and middleware put together."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer

from common.serving.executor import BoundedExecutor
from common.version import VERSION
from gateway.audiences import Audiences
from gateway.budgets import Budgets
from gateway.clients import open_clients
from gateway.counters import Counters, open_counters
from gateway.errors import add_error_handlers
from gateway.middleware.access import KEY_HEADER, AccessControl
from gateway.middleware.admission import Admission
from gateway.middleware.body import BodyLimits
from gateway.middleware.context import RequestContext
from gateway.middleware.headers import SecurityHeaders
from gateway.middleware.multipart import MultipartDialects
from gateway.middleware.origin import OriginControl
from gateway.models import ErrorBody
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
OPEN_TO_ALL = (health, static, web, docs)

# For the OpenAPI description only: AccessControl decides before a route is reached and its body is read.
BEARER = HTTPBearer(auto_error=False)
KEY = APIKeyHeader(name=KEY_HEADER, auto_error=False)


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

    app = FastAPI(
        title="Product Image Generator",
        description=DESCRIPTION,
        version=VERSION,
        servers=SERVERS,
        lifespan=lifespan,
        docs_url=None,
        redirect_slashes=False,  # the Location would be made from the Host header
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    guards = [Security(BEARER), Security(KEY)] if settings.api_keys else []
    refusals: dict[int | str, Any] = {status: {"model": ErrorBody} for status in (401, 429) if guards}
    for routes in ROUTES:
        is_open = routes in OPEN_TO_ALL
        app.include_router(routes.router, dependencies=() if is_open else guards, responses={} if is_open else refusals)
    for routes in ROUTES:  # last, so that no other request passes them
        app.include_router(_heads(routes.router))
    add_error_handlers(app)
    _add_middleware(app, settings, counters)
    return app


def _operation_id(route: APIRoute) -> str:
    """Return the name of the function: short, unique, and the method name in generated clients."""
    return route.name


def _heads(router: APIRouter) -> APIRouter:
    """Return routes that answer HEAD wherever GET is answered (RFC 9110, 9.1); the server leaves the content out."""
    heads = APIRouter(include_in_schema=False)
    for route in router.routes:
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            heads.add_api_route(
                route.path,
                route.endpoint,
                methods=["HEAD"],
                response_model=route.response_model,
                response_model_exclude_none=route.response_model_exclude_none,
            )
    return heads


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
