"""The gateway's process: `python -m gateway`."""

import logging
import socket
import sys

import structlog
import uvicorn

from gateway.app import create_app
from gateway.settings import GatewaySettings
from services.runtime.telemetry import configure_logging


def main() -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SystemExit: The port is taken: status 1, after one line in the log.
    """
    settings = GatewaySettings()
    configure_logging(settings, "gateway")
    log = structlog.get_logger()
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        log.error("cannot start", why=f"port {settings.port} on {settings.host} cannot be used: {error.strerror}")
        sys.exit(1)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(create_app(settings), log_config=None, access_log=False, timeout_graceful_shutdown=30)
    log.info("starting", host=settings.host, port=listener.getsockname()[1])
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
