"""What Prometheus reads of a process. Each metric is defined beside the code that it counts.

Names follow https://prometheus.io/docs/practices/naming/: a unit at the end, `_total` for counts.
"""

import structlog
from prometheus_client import start_http_server

from services.runtime.settings import MetricsSettings

log = structlog.get_logger()

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
"""Bounds of histograms: from a look-up to the longest deadline."""


def serve_metrics(settings: MetricsSettings) -> None:
    """Answer Prometheus on a port of its own, when the settings name one.

    Raises:
        OSError: The port is taken.
    """
    if settings.metrics_port is not None:
        start_http_server(settings.metrics_port, settings.metrics_host)
        log.info("metrics", host=settings.metrics_host, port=settings.metrics_port)
