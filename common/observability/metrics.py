"""Prometheus metrics. Each metric is defined beside the code it measures.

Names follow https://prometheus.io/docs/practices/naming/: a unit at the end, `_total` for counts.
"""

import structlog
from prometheus_client import start_http_server

from common.settings import MetricsSettings

log = structlog.get_logger()

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
"""Bucket bounds of histograms, in seconds: from a lookup to the longest deadline."""


def serve_metrics(settings: MetricsSettings) -> None:
    """Serve metrics on their own port, if one is configured.

    Raises:
        OSError: The port is taken.
    """
    if settings.metrics_port is not None:
        start_http_server(settings.metrics_port, settings.metrics_host)
        log.info("metrics", host=settings.metrics_host, port=settings.metrics_port)
