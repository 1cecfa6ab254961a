"""The life of a gRPC service: load, listen, say so, serve, and stop without losing a call."""

import asyncio
import signal
import sys
from collections.abc import Callable

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from productimage.engine.v1.engine_pb2 import DESCRIPTOR as ENGINE_PROTO
from productimage.engine.v1.engine_pb2_grpc import add_EngineServiceServicer_to_server
from services.runtime.engines import EngineServicer
from services.runtime.executor import BoundedExecutor
from services.runtime.interceptor import CallInterceptor
from services.runtime.memory import keep_freed_memory
from services.runtime.metrics import serve_metrics
from services.runtime.settings import ServiceSettings
from services.runtime.telemetry import configure_logging
from services.runtime.tls import server_credentials
from services.runtime.tracing import configure_tracing

log = structlog.get_logger()

MOST_WATCHERS = 128
ENGINE_SERVICE = ENGINE_PROTO.services_by_name["EngineService"].full_name

Register = Callable[[grpc.aio.Server, BoundedExecutor], None]


class StartError(Exception):
    """The service cannot start; the text is the one line that says why and what to do."""


def run(settings: ServiceSettings, service: str, load: Callable[[], Register]) -> None:
    """Run a service until SIGTERM or SIGINT; the main of each service's process.

    Args:
        settings: The service's settings.
        service: The full name of its gRPC service.
        load: Loads the engines (this may take a while) and gives the function that adds the servicer to the server.

    Raises:
        SystemExit: It could not start: status 1, after one line in the log.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # while loading; a container's first process ignores it else
    keep_freed_memory()
    process = service.rpartition(".")[2].removesuffix("Service").lower()
    configure_logging(settings, process)
    configure_tracing(settings, process)
    try:
        _watch(settings)
        asyncio.run(_serve(settings, service, load()))
    except StartError as error:
        log.error("cannot start", why=str(error))
        sys.exit(1)


def _watch(settings: ServiceSettings) -> None:
    try:
        serve_metrics(settings)
    except OSError as error:
        raise StartError(f"port {settings.metrics_port} cannot be used for metrics: {error.strerror}") from None


async def _serve(settings: ServiceSettings, service: str, register: Register) -> None:
    server, health_of, executor, port = create_server(settings, service, register)
    await server.start()
    await _set_health(health_of, service, serving=True)
    log.info("ready", host=settings.host, port=port)
    await _stop_signal()
    log.info("stopping")
    await _set_health(health_of, service, serving=False)
    await asyncio.sleep(settings.stop_wait_seconds)
    await server.stop(settings.stop_grace_seconds)
    executor.close()
    log.info("stopped")


def create_server(
    settings: ServiceSettings, service: str, register: Register
) -> tuple[grpc.aio.Server, health.aio.HealthServicer, BoundedExecutor, int]:
    """Make a server that is bound to its port but not started; tests start it in their own process.

    Returns:
        The server, its health servicer, the executor of its blocking work, and the port it is bound to.

    Raises:
        StartError: The port is taken, or a file for TLS cannot be read.
    """
    credentials = _credentials(settings)
    server = grpc.aio.server(
        interceptors=[CallInterceptor(settings.max_deadline_seconds, settings.max_concurrent_rpcs)],
        options=_options(settings),
        # Refused before they are read; each caller's connection has a stream open that tells of our health.
        maximum_concurrent_rpcs=settings.max_concurrent_rpcs + MOST_WATCHERS,
    )
    executor = BoundedExecutor(settings.workers, settings.queue_size)
    register(server, executor)
    add_EngineServiceServicer_to_server(EngineServicer(), server)
    health_of = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_of, server)
    if settings.reflection:
        reflection.enable_server_reflection(
            [service, ENGINE_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME], server
        )
    return server, health_of, executor, _listen(server, settings, credentials)


def _listen(server: grpc.aio.Server, settings: ServiceSettings, credentials: grpc.ServerCredentials | None) -> int:
    address = f"{settings.host}:{settings.port}"
    try:
        return server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    except RuntimeError:
        raise StartError(
            f"port {settings.port} on {settings.host} is taken: stop what uses it or set another"
        ) from None


def _credentials(settings: ServiceSettings) -> grpc.ServerCredentials | None:
    try:
        return server_credentials(settings)
    except OSError as error:
        raise StartError(f"{error.filename}, set for TLS, cannot be read: {error.strerror}") from None


def _options(settings: ServiceSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.so_reuseport", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", int(settings.keepalive_min_seconds * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.max_connection_age_ms", int(settings.max_connection_age_seconds * 1000)),
        ("grpc.max_connection_age_grace_ms", int(settings.max_deadline_seconds * 1000)),
    ]


async def _set_health(servicer: health.aio.HealthServicer, service: str, *, serving: bool) -> None:
    status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
    for name in ("", service):
        await servicer.set(name, status)


async def _stop_signal() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
