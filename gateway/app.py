"""The app: routes, error handlers and middleware put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cachetools import LRUCache
from fastapi import FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import APIKeyHeader, HTTPBearer

from gateway.audiences import Audiences
from gateway.dependencies import Gateway
from gateway.errors import add_error_handlers
from gateway.middleware.access import KEY_HEADER, AccessControl
from gateway.middleware.admission import Admission
from gateway.middleware.body import BodyLimits
from gateway.middleware.context import RequestContext
from gateway.middleware.headers import SecurityHeaders
from gateway.models import ErrorBody
from gateway.routes import audiences, health, images, products, records, static, status, studio
from gateway.services import connect
from gateway.settings import GatewaySettings
from services.runtime.executor import BoundedExecutor

DESCRIPTION = "One product photo in, finished audience-targeted ads out."

# For the description of the API only: AccessControl has decided before a route is reached, and its body is read.
BEARER = HTTPBearer(auto_error=False)
KEY = APIKeyHeader(name=KEY_HEADER, auto_error=False)


def create_app(settings: GatewaySettings) -> FastAPI:
    """Make the app; it connects to the services when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = connect(settings)
        executor = BoundedExecutor(settings.workers, settings.queue_size)
        audiences_known = Audiences(settings.audience_file, settings.users_file)
        pictures: LRUCache[str, static.KeptPicture] = LRUCache(
            settings.picture_cache_bytes, getsizeof=lambda kept: len(kept.data)
        )
        app.state.gateway = Gateway(settings, services, audiences_known, executor, pictures)
        yield
        await services.close()
        executor.close()

    app = FastAPI(title="Product Image Generator", description=DESCRIPTION, version="1", lifespan=lifespan)
    guards = [Security(BEARER), Security(KEY)] if settings.api_keys else []
    refusals: dict[int | str, Any] = {status: {"model": ErrorBody} for status in (401, 429) if guards}
    for routes in (audiences, images, products, records, status):
        app.include_router(routes.router, dependencies=guards, responses=refusals)
    for routes in (static, health):
        app.include_router(routes.router)
    app.include_router(studio.router)
    add_error_handlers(app)
    # The last added is the outermost: CORS headers are on every answer, errors included.
    app.add_middleware(
        BodyLimits,
        max_bytes=settings.max_body_bytes,
        silence_seconds=settings.silence_seconds,
        whole_seconds=settings.body_seconds,
    )
    app.add_middleware(Admission, working=_places(settings), receiving=settings.max_receiving)
    if settings.api_keys:
        app.add_middleware(AccessControl, keys=settings.api_keys, rate=settings.rate_limit)
    app.add_middleware(SecurityHeaders, pictures_elsewhere=settings.static_delivery == "redirect")
    app.add_middleware(RequestContext)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "HEAD"],
        allow_headers=["Authorization", KEY_HEADER, "Idempotency-Key", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Retry-After"],
    )
    return app


def _places(settings: GatewaySettings) -> dict[str, int]:
    """Say how many requests each heavy route works on at one time."""
    return {
        "/api/generate-product": settings.max_generations,
        "/api/upload-image": settings.max_uploads,
        "/api/cut-out": settings.max_uploads,
        "/api/upload-audience": settings.max_uploads,
    }
