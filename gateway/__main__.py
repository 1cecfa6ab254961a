"""`python -m gateway`: the gateway process."""

import logging
import signal
import socket
import sys

import structlog
import uvicorn

from common.errors import StartError
from common.observability.logs import configure_logging
from common.observability.metrics import serve_metrics
from common.observability.tracing import configure_tracing
from common.serving.malloc import tune_malloc
from common.serving.parent import end_with_parent
from common.settings import read_settings
from gateway.app import create_app
from gateway.protocol import bounded_protocol
from gateway.settings import GatewaySettings

log = structlog.get_logger()


def main() -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SystemExit: A port is taken: status 1, after one line in the log.
    """
    settings = read_settings(GatewaySettings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises the signal again when it has stopped
    end_with_parent()
    tune_malloc()
    configure_logging(settings, "gateway")
    configure_tracing(settings, "gateway")
    try:
        listener = _listen(settings)
    except StartError as error:
        log.error("cannot start", why=str(error))
        sys.exit(1)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    if settings.open_to_anyone and not settings.api_keys:
        log.warning("No API keys are configured: anyone who can reach this address can use the API.")
    config = uvicorn.Config(
        create_app(settings),
        http=bounded_protocol(settings),
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.idle_seconds,
        log_config=None,
        access_log=False,
        server_header=False,
        reset_contextvars=True,  # pipelined requests would inherit the context of the one before, its deadline included
        timeout_graceful_shutdown=settings.stop_grace_seconds,
    )
    log.info("starting", host=settings.host, port=listener.getsockname()[1])
    uvicorn.Server(config).run(sockets=[listener])


def _listen(settings: GatewaySettings) -> socket.socket:
    """Bind the port of the API, and serve metrics on theirs."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        raise StartError(f"port {settings.port} on {settings.host} cannot be used: {error.strerror}") from None
    try:
        serve_metrics(settings)
    except OSError as error:
        raise StartError(f"port {settings.metrics_port} cannot be used for metrics: {error.strerror}") from None
    return listener


if __name__ == "__main__":
    main()
