"""The Grafana dashboard as code: rows of panels, from what users see down to costs."""

from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 24, 8


@dataclass(frozen=True)
class Panel:
    """A time series panel.

    Attributes:
        title: Title.
        unit: Grafana unit id.
        queries: PromQL expressions by legend.
    """

    title: str
    unit: str
    queries: dict[str, str]


def _quantiles(metric: str, by: str, where: str = "") -> dict[str, str]:
    return {
        f"p{percent} {{{{{by}}}}}": f"histogram_quantile({percent / 100}, sum by (le, {by})"
        f" (rate({metric}_bucket{where}[$__rate_interval])))"
        for percent in (50, 95)
    }


ROWS: dict[str, list[Panel]] = {
    "What users see": [
        Panel(
            "Requests by route",
            "reqps",
            {"{{route}}": "sum by (route) (rate(productimage_request_seconds_count[$__rate_interval]))"},
        ),
        Panel(
            "Answers that are errors",
            "reqps",
            {
                "{{status}} {{route}}": "sum by (status, route)"
                ' (rate(productimage_request_seconds_count{status=~"[45].."}[$__rate_interval]))'
            },
        ),
        Panel(
            "Time of uploads and generations",
            "s",
            _quantiles("productimage_request_seconds", "route", '{route=~"/api/(upload-image|generate-product)"}'),
        ),
    ],
    "Stages and engines": [
        Panel("Time of stages", "s", _quantiles("productimage_stage_seconds", "stage")),
        Panel(
            "Stages by engine",
            "ops",
            {
                "{{stage}} {{engine}}": "sum by (stage, engine)"
                " (rate(productimage_stage_seconds_count[$__rate_interval]))"
            },
        ),
        Panel("Work of engines", "s", _quantiles("productimage_engine_seconds", "engine")),
    ],
    "Services": [
        Panel(
            "Calls by method and code",
            "reqps",
            {"{{method}} {{code}}": "sum by (method, code) (rate(productimage_rpc_seconds_count[$__rate_interval]))"},
        ),
        Panel("Time of calls", "s", _quantiles("productimage_rpc_seconds", "method")),
        Panel("Calls in progress", "short", {"{{pod}} {{instance}}": "productimage_rpcs_in_progress"}),
    ],
    "Queues and caches": [
        Panel(
            "Waiting for a thread",
            "s",
            _quantiles("productimage_queue_wait_seconds", "job"),
        ),
        Panel(
            "Queued, and refused a second",
            "short",
            {
                "queued {{job}}": "sum by (job) (productimage_queued)",
                "refused {{job}}": "sum by (job) (rate(productimage_queue_refused_total[$__rate_interval]))",
            },
        ),
        Panel(
            "Found in memory",
            "percentunit",
            {
                name: f'sum(rate({metric}{{source="memory"}}[$__rate_interval]))'
                f" / sum(rate({metric}[$__rate_interval]))"
                for name, metric in (
                    ("pictures", "productimage_pictures_total"),
                    ("embeddings", "productimage_embeddings_total"),
                )
            },
        ),
        Panel(
            "Pictures encoded together",
            "short",
            {
                "mean": "sum(rate(productimage_batch_size_sum[$__rate_interval]))"
                " / sum(rate(productimage_batch_size_count[$__rate_interval]))"
            },
        ),
    ],
    "Clouds and the history": [
        Panel(
            "Calls to clouds",
            "reqps",
            {
                "{{engine}} {{outcome}}": "sum by (engine, outcome)"
                " (rate(productimage_cloud_seconds_count[$__rate_interval]))"
            },
        ),
        Panel(
            "Dollars an hour, estimated",
            "currencyUSD",
            {"{{engine}}": "sum by (engine) (increase(productimage_cloud_cost_dollars_total[1h]))"},
        ),
        Panel(
            "Shared counters: calls that failed",
            "ops",
            {"failed": "sum(rate(productimage_counter_failures_total[$__rate_interval]))"},
        ),
        Panel(
            "Days until models end",
            "d",
            {"{{engine}}": "(min by (engine) (productimage_model_ends_timestamp_seconds) - time()) / 86400"},
        ),
        Panel(
            "Writes of the history",
            "ops",
            {
                "{{outcome}}": "sum by (outcome) (rate(productimage_ledger_writes_total[$__rate_interval]))",
                "records": "sum(rate(productimage_ledger_added_total[$__rate_interval]))",
                "passed over": "sum(rate(productimage_ledger_unreadable_total[$__rate_interval]))",
                "brands passed over": "sum(rate(productimage_brands_unreadable_total[$__rate_interval]))",
            },
        ),
    ],
}


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana JSON: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards."""
    panels: list[dict[str, Any]] = []
    for row, (title, graphs) in enumerate(ROWS.items()):
        top = row * (HEIGHT + 1)
        panels.append({"type": "row", "title": title, "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}})
        width = WIDTH // len(graphs)
        panels += [_graph(graph, column * width, top + 1, width) for column, graph in enumerate(graphs)]
    return {
        "title": "Product Image Generator",
        "uid": "product-image-generator",
        "schemaVersion": 41,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": [{"id": number, **panel} for number, panel in enumerate(panels, start=1)],
    }


def _graph(panel: Panel, x: int, y: int, width: int) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"x": x, "y": y, "w": width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + number), "expr": expression, "legendFormat": legend}
            for number, (legend, expression) in enumerate(panel.queries.items())
        ],
    }
