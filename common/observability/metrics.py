"""Prometheus metrics, and health beside them, in plain HTTP. Each metric is defined beside the code it measures.

Names follow https://prometheus.io/docs/practices/naming/: a unit at the end, `_total` for counts.
"""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import make_wsgi_app

from common.settings import MetricsSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
"""Bucket bounds of histograms, in seconds: from a lookup to the longest deadline."""
HEALTH = "/healthz"


def serve_metrics(settings: MetricsSettings, is_well: Callable[[], bool] | None = None) -> None:
    """Serve metrics, and perhaps `/healthz`, on their own port, if one is configured.

    `/healthz` is for probes that cannot speak TLS, as those of Kubernetes; it says 200 or 503, and no more.

    Args:
        settings: Where.
        is_well: Whether the process serves; called in other threads. None: no `/healthz`.

    Raises:
        OSError: The port is taken.
    """
    if settings.metrics_port is None:
        return
    server = make_server(
        settings.metrics_host, settings.metrics_port, _answer(is_well) if is_well else make_wsgi_app(), _Server, _Silent
    )
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info("metrics", host=settings.metrics_host, port=settings.metrics_port)


def _answer(is_well: Callable[[], bool]) -> "WSGIApplication":
    metrics: WSGIApplication = make_wsgi_app()

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != HEALTH:
            return metrics(environ, start_response)
        status, text = ("200 OK", b"ok\n") if is_well() else ("503 Service Unavailable", b"not serving\n")
        start_response(status, [("Content-Type", "text/plain")])
        return [text]

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as it is called
        """Log nothing: it is asked every few seconds."""
