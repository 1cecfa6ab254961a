"""The gateway's process: `python -m gateway`."""

import logging
import signal
import socket
import sys
from ipaddress import ip_address

import structlog
import uvicorn

from gateway.app import create_app
from gateway.protocol import bounded_protocol
from gateway.settings import GatewaySettings
from services.runtime.memory import keep_freed_memory
from services.runtime.metrics import serve_metrics
from services.runtime.settings import read_settings
from services.runtime.telemetry import configure_logging
from services.runtime.tracing import configure_tracing


def main() -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SystemExit: The port is taken: status 1, after one line in the log.
    """
    settings = read_settings(GatewaySettings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn sends itself the signal once more in the end
    keep_freed_memory()
    configure_logging(settings, "gateway")
    configure_tracing(settings, "gateway")
    log = structlog.get_logger()
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        log.error("cannot start", why=f"port {settings.port} on {settings.host} cannot be used: {error.strerror}")
        sys.exit(1)
    try:
        serve_metrics(settings)
    except OSError as error:
        log.error("cannot start", why=f"port {settings.metrics_port} cannot be used for metrics: {error.strerror}")
        sys.exit(1)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    if not settings.api_keys and not _is_loopback(settings.host):
        log.warning("everybody who reaches this address may use the API", why="GATEWAY_API_KEYS is not set")
    config = uvicorn.Config(
        create_app(settings),
        http=bounded_protocol(settings.silence_seconds),
        log_config=None,
        access_log=False,
        server_header=False,
        reset_contextvars=True,  # pipelined requests would inherit what the one before has bound, its deadline too
        timeout_graceful_shutdown=settings.stop_grace_seconds,
    )
    log.info("starting", host=settings.host, port=listener.getsockname()[1])
    uvicorn.Server(config).run(sockets=[listener])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


if __name__ == "__main__":
    main()
