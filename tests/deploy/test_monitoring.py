"""The dashboard and the alerts against the metrics that the code defines."""

import importlib
import re
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

from deploy.monitoring.__main__ import HERE, files
from deploy.monitoring.dashboard import dashboard
from testing.processes import ROOT

OF_PROMETHEUS = {"up", "job", "instance", "pod", "namespace", "le"}
"""Metric and labels that Prometheus itself adds."""
SERIES = ("_bucket", "_count", "_sum", "_total")


def load_every_metric() -> None:
    """Import every module that defines metrics."""
    for folder in ("common", "gateway", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            if "prometheus_client" in path.read_text():
                importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


@pytest.fixture(scope="module")
def labels_of() -> dict[str, set[str]]:
    """Return the labels of every metric that our code defines."""
    load_every_metric()
    found: dict[str, set[str]] = {}
    for collector in set(REGISTRY._collector_to_names):
        labels: tuple[str, ...] = getattr(collector, "_labelnames", ())
        for name in REGISTRY._collector_to_names[collector]:
            if name.startswith("productimage_"):
                found[name] = set(labels)
    assert len(found) > 30
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((HERE / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> set[str]:
    """Return the names of series that rules record."""
    return {rule["record"] for rule in rules() if "record" in rule}


def expressions() -> list[str]:
    panels = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    # Grafana replaces it with a duration.
    return [one.replace("$__rate_interval", "1m") for one in queries] + [rule["expr"] for rule in rules()]


@pytest.mark.parametrize("expression", expressions())
def test_expressions_name_metrics_and_labels_that_exist(expression: str, labels_of: dict[str, set[str]]) -> None:
    used: dict[str, set[str]] = {}
    grouped: set[str] = set()

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            used.setdefault(node.name or "", set()).update(one.name for one in node.matchers.matchers)
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            grouped.update(node.modifier.labels)

    promql_parser.walk(promql_parser.parse(expression), visit)
    assert used
    for name, labels in used.items():
        if name not in OF_PROMETHEUS | recorded():
            assert name in labels_of
            assert labels | grouped <= labels_of[name] | OF_PROMETHEUS


def test_every_metric_is_shown(labels_of: dict[str, set[str]]) -> None:
    shown = " ".join(expressions())
    families = {re.sub("(_bucket|_count|_sum|_total|_created)$", "", name) for name in labels_of}
    assert [name for name in sorted(families) if name not in shown] == []


def test_every_metric_says_what_it_is_and_has_sane_buckets(labels_of: dict[str, set[str]]) -> None:
    assert labels_of
    for family in REGISTRY.collect():
        if family.name.startswith("productimage_"):
            assert len(family.documentation) > 15
            assert family.documentation.endswith(".")
    for collector in set(REGISTRY._collector_to_names):
        bounds = getattr(collector, "_upper_bounds", None) or getattr(collector, "_kwargs", {}).get("buckets")
        if bounds and "productimage" in str(REGISTRY._collector_to_names[collector]):
            assert list(bounds) == sorted(bounds)
            assert 5 <= len(bounds) <= 20


def test_operations_explain_every_alert() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text()
    for alert in alerts():
        name = alert["alert"]
        assert f'<a id="{name.lower()}"></a>`{name}`' in operations
        assert alert["annotations"]["runbook_url"] == f"https://docs.example.com/operations/#{name.lower()}"
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"]["summary"]


def test_every_alert_is_tried() -> None:
    tried = (HERE / "alerts_test.yaml").read_text()
    for alert in alerts():
        assert re.search(rf"alertname: {alert['alert']}\n +exp_alerts", tried)


def test_the_clusters_copies_are_current() -> None:
    for path, text in files().items():
        assert path.read_text() == text, "run: python -m deploy.monitoring"


def test_what_scales_on_a_metric_has_it(labels_of: dict[str, set[str]]) -> None:
    folder = ROOT / "deploy" / "k8s" / "components" / "in-flight-scaling"
    (rule,) = yaml.safe_load((folder / "adapter.yaml").read_text())["rules"]["custom"]
    (change,) = yaml.safe_load((folder / "metric.yaml").read_text())
    (metric,) = change["value"]
    assert rule["name"]["as"] == metric["pods"]["metric"]["name"]
    assert rule["seriesQuery"].partition("{")[0] in labels_of


def test_compose_watches_every_process() -> None:
    config = yaml.safe_load((HERE / "prometheus.yaml").read_text())
    names = {job["job_name"] for job in config["scrape_configs"]}
    assert names == {"gateway", "segmentation", "inpainting", "generation", "history"}
    (down,) = [alert for alert in alerts() if alert["alert"] == "ProcessDown"]
    assert set(re.findall(r'job=~"(.*)"', down["expr"])[0].split("|")) == names
