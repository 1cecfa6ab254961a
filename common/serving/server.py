"""Lifecycle of a gRPC service: load, listen, report ready, serve, and stop without losing a call."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from common.errors import StartError
from common.observability.logs import configure_logging
from common.observability.metrics import serve_metrics
from common.observability.tracing import configure_tracing
from common.serving.engines import EngineRegistry, EngineServicer
from common.serving.executor import BoundedExecutor
from common.serving.interceptor import MAX_WATCHERS, CallInterceptor
from common.serving.malloc import tune_malloc
from common.serving.parent import end_with_parent
from common.serving.pulse import Pulse
from common.serving.readiness import Check, Problem, Watch
from common.serving.threads import limit_threads
from common.settings import ServiceSettings, read_settings
from common.tls import server_credentials
from productimage.clients.health import READY
from productimage.engine.v1.engine_pb2 import DESCRIPTOR as ENGINE_PROTO
from productimage.engine.v1.engine_pb2_grpc import add_EngineServiceServicer_to_server

log = structlog.get_logger()

HEALTH_CHECKS = 64
"""Checks of our health at a time, beside those who watch it."""
ENGINE_SERVICE = ENGINE_PROTO.services_by_name["EngineService"].full_name

HEALTH = {True: health_pb2.HealthCheckResponse.SERVING, False: health_pb2.HealthCheckResponse.NOT_SERVING}

Register = Callable[[grpc.aio.Server, BoundedExecutor], Check | None]
"""Adds servicers to a server; returns a check of what they depend on while they serve, if there is any."""

SettingsType = TypeVar("SettingsType", bound=ServiceSettings)


@dataclass(frozen=True)
class Service:
    """The servicers of a process.

    Attributes:
        names: Full names of the gRPC services.
        engines: Engines that were selected.
        register: Adds the servicers to a server.
    """

    names: Sequence[str]
    engines: EngineRegistry
    register: Register


def serve(
    kind: type[SettingsType], names: Sequence[str], build: Callable[[SettingsType, EngineRegistry], Register]
) -> None:
    """Run a service until SIGTERM or SIGINT. The main function of each service.

    Args:
        kind: Class of the settings.
        names: Full names of the gRPC services.
        build: Loads the engines, which may take a while, reports them to the registry, and returns the function that
            adds the servicers to the server.

    Raises:
        SystemExit: The service cannot start: status 1, after one line in the log.
    """
    settings = read_settings(kind)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # PID 1 in a container would ignore it while loading
    end_with_parent()
    tune_malloc()
    limit_threads(settings.threads)
    process = settings.model_config["env_prefix"].rstrip("_").lower()
    configure_logging(settings, process)
    configure_tracing(settings, process)
    engines, pulse = EngineRegistry(), Pulse()
    try:
        _serve_metrics(settings, pulse)
        asyncio.run(_serve(settings, Service(names, engines, build(settings, engines)), pulse))
    except StartError as error:
        log.error("cannot start", why=str(error))
        sys.exit(1)


def _serve_metrics(settings: ServiceSettings, pulse: Pulse) -> None:
    try:
        serve_metrics(settings, pulse.beats)
    except OSError as error:
        raise StartError(f"port {settings.metrics_port} cannot be used for metrics: {error.strerror}") from None


async def _serve(settings: ServiceSettings, service: Service, pulse: Pulse) -> None:
    running = create_server(settings, service, pulse)
    await running.server.start()
    await running.watch.start()
    log.info("ready", host=settings.host, port=running.port)
    await _stop_signal()
    log.info("stopping")
    await running.watch.stop()
    await asyncio.sleep(settings.stop_wait_seconds)
    await running.server.stop(settings.stop_grace_seconds)
    running.executor.close()
    log.info("stopped")


@dataclass(frozen=True)
class BoundServer:
    """A server that is bound to its port.

    Attributes:
        server: The server, not started.
        executor: Runs its blocking work.
        port: Port it is bound to.
        watch: Sets the health that it reports.
    """

    server: grpc.aio.Server
    executor: BoundedExecutor
    port: int
    watch: Watch


def create_server(settings: ServiceSettings, service: Service, pulse: Pulse | None = None) -> BoundServer:
    """Create a server and bind it to its port; tests start it in their own process.

    Args:
        settings: Settings.
        service: What it serves.
        pulse: Beats while it serves.

    Raises:
        StartError: The port is taken, or a TLS file cannot be read.
    """
    credentials = _credentials(settings)
    server = grpc.aio.server(
        interceptors=[CallInterceptor(settings.max_deadline_seconds, settings.max_concurrent_rpcs)],
        options=_options(settings),
        maximum_concurrent_rpcs=settings.max_concurrent_rpcs + MAX_WATCHERS + HEALTH_CHECKS,  # else not even read
    )
    executor = BoundedExecutor(settings.workers, settings.queue_size, settings.max_pixels_in_flight)
    health_servicer = health.aio.HealthServicer()

    async def set_health(*, serving: bool, ready: bool) -> None:
        if pulse is not None:
            (pulse.begin if serving else pulse.end)()
        for name in ("", *service.names):
            await health_servicer.set(name, HEALTH[serving])
        await health_servicer.set(READY, HEALTH[ready])

    watch = Watch(service.register(server, executor) or _no_problems, settings.check_seconds, set_health)
    add_EngineServiceServicer_to_server(EngineServicer(service.engines, watch), server)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    if settings.reflection:
        reflection.enable_server_reflection(
            [*service.names, ENGINE_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME], server
        )
    return BoundServer(server, executor, _listen(server, settings, credentials), watch)


def _no_problems() -> Sequence[Problem]:
    return ()


def _listen(server: grpc.aio.Server, settings: ServiceSettings, credentials: grpc.ServerCredentials | None) -> int:
    address = f"{settings.host}:{settings.port}"
    try:
        return server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    except RuntimeError:
        raise StartError(
            f"port {settings.port} on {settings.host} is taken: stop what uses it, or set another port"
        ) from None


def _credentials(settings: ServiceSettings) -> grpc.ServerCredentials | None:
    try:
        return server_credentials(settings)
    except OSError as error:
        raise StartError(f"TLS file {error.filename} cannot be read: {error.strerror}") from None


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


async def _stop_signal() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
