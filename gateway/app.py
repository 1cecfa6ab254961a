"""The app: routes, error handlers and middleware put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import RedirectResponse

from gateway.audiences import Audiences
from gateway.dependencies import Gateway
from gateway.errors import add_error_handlers
from gateway.middleware import BodyLimit, RequestContext
from gateway.routes import audiences, health, images, products, static
from gateway.services import connect
from gateway.settings import GatewaySettings
from services.runtime.executor import BoundedExecutor

DESCRIPTION = "One product photo in, finished audience-targeted ads out."


def create_app(settings: GatewaySettings) -> FastAPI:
    """Make the app; it connects to the services when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = connect(settings)
        executor = BoundedExecutor(settings.workers, settings.queue_size)
        app.state.gateway = Gateway(
            settings, services, Audiences(settings.audience_file, settings.users_file), executor
        )
        yield
        await services.close()
        executor.close()

    app = FastAPI(title="Product Image Generator", description=DESCRIPTION, version="1", lifespan=lifespan)
    for routes in (audiences, images, products, static, health):
        app.include_router(routes.router)
    app.add_api_route("/", _home, include_in_schema=False)
    add_error_handlers(app)
    # The last added is the outermost: CORS headers are on every answer, errors included.
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(RequestContext)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "HEAD"],
        allow_headers=["*"],
        expose_headers=["X-Request-ID", "Retry-After"],
    )
    return app


async def _home() -> RedirectResponse:
    return RedirectResponse("/docs")
