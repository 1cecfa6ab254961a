"""The network policies allow exactly the edges that the threat model draws."""

from pathlib import Path
from typing import Any

import pytest

from tests.deploy.manifests import Manifest, base_with, named, of_kind, overlay, pod

NAMES = ("gateway", "segmentation", "inpainting", "generation", "history")
SERVICES = NAMES[1:]
Edge = tuple[str, str, str]
INGRESS, MONITORING, DNS, CLOUDS, VALKEY = "ingress", "monitoring", "dns", "clouds", "valkey"

EDGES: set[Edge] = {
    (INGRESS, "gateway", "http"),
    *(("gateway", name, "grpc") for name in SERVICES),
    *((name, DNS, "53") for name in NAMES),
    *((name, CLOUDS, "443") for name in SERVICES),
}
WITH_MONITORING = EDGES | {(MONITORING, name, "metrics") for name in NAMES}


def _ours(selector: dict[str, Any]) -> set[str]:
    exact = selector.get("matchLabels", {}).get("app.kubernetes.io/name")
    chosen = {exact} if exact else set(NAMES)
    for expression in selector.get("matchExpressions", []):
        chosen &= set(expression["values"])
    return chosen


def _others(peer: dict[str, Any]) -> set[str]:
    if peer.get("ipBlock") == {"cidr": "169.254.20.10/32"}:  # NodeLocal DNSCache
        return {DNS}
    if peer.get("ipBlock", {}).get("cidr") == "::/0":
        assert set(peer["ipBlock"]["except"]) == {"fc00::/7", "fe80::/10"}
        return {CLOUDS}
    if "ipBlock" in peer:
        assert set(peer["ipBlock"]["except"]) >= {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"}
        return {CLOUDS}
    if "namespaceSelector" not in peer:
        return _ours(peer["podSelector"])
    label = peer["namespaceSelector"]["matchLabels"]
    if label == {"kubernetes.io/metadata.name": "kube-system"}:
        assert peer["podSelector"]["matchLabels"] == {"k8s-app": "kube-dns"}
        return {DNS}
    if label == {"kubernetes.io/metadata.name": "monitoring"}:
        return {MONITORING}
    if label == {"kubernetes.io/metadata.name": "valkey"}:
        assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "valkey"}
        return {VALKEY}
    assert label == {"product-image-generator/ingress": "true"}
    return {INGRESS}


def allowed(manifests: list[Manifest], direction: str) -> set[Edge]:
    """Return the edges that the policies of one direction allow: (from, to, port)."""
    edges = set()
    for policy in of_kind(manifests, "NetworkPolicy"):
        for rule in policy["spec"].get(direction, []):
            for peer in rule["from" if direction == "ingress" else "to"]:
                for port in rule["ports"]:
                    for ours in _ours(policy["spec"]["podSelector"]):
                        for other in _others(peer):
                            ends = (other, ours) if direction == "ingress" else (ours, other)
                            edges.add((*ends, str(port["port"])))
    return edges


@pytest.mark.parametrize(("name", "expected"), [("local", EDGES), ("production", WITH_MONITORING)])
def test_exactly_the_documented_edges_are_allowed(name: str, expected: set[Edge]) -> None:
    manifests = overlay(name)
    incoming, outgoing = allowed(manifests, "ingress"), allowed(manifests, "egress")
    assert incoming == {edge for edge in expected if edge[1] in NAMES}
    assert outgoing == {edge for edge in expected if edge[0] in NAMES}


def test_shared_counters_add_one_edge(tmp_path: Path) -> None:
    manifests = base_with("shared-counters", tmp_path)
    assert allowed(manifests, "egress") == {edge for edge in EDGES if edge[0] in NAMES} | {("gateway", VALKEY, "6379")}


@pytest.mark.parametrize("name", ["local", "production"])
def test_nothing_else_is(name: str) -> None:
    deny = named(overlay(name), "NetworkPolicy", "deny-all")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("name", ["local", "production"])
def test_the_ports_of_edges_exist(name: str) -> None:
    for _, to, port in allowed(overlay(name), "ingress"):
        (container,) = pod(named(overlay(name), "Deployment", to))["containers"]
        assert port in {one["name"] for one in container["ports"]}
