"""Write the templates of the Helm chart from the kustomizations: `python -m deploy.chart`."""

import re
from collections.abc import Iterator
from pathlib import Path

from deploy.chart.emit import Given, Value, emit
from deploy.chart.merge import MISSING, Node, merge
from deploy.chart.render import K8S, Objects, base_with, rendered

CHART = Path(__file__).parents[1] / "helm"
COMPONENTS = {
    "gateway-api": ".Values.gatewayApi.enabled",
    "ingress": ".Values.ingress.enabled",
    "mtls": ".Values.mtls.enabled",
    "monitoring": ".Values.monitoring.enabled",
    "gpu": ".Values.gpu.enabled",
    "in-flight-scaling": ".Values.inFlightScaling.enabled",
    "shared-counters": ".Values.sharedCounters.enabled",
}
"""What switches each component on."""
LOCAL = ".Values.local.enabled"
SERVICES = ("segmentation", "inpainting", "generation", "history", "gateway")
IMAGE = re.compile(r"^product-image-([a-z0-9]+):")
PARAMETERS: dict[tuple[str, str], Value | Given] = {
    ("ConfigMap", "data"): Value('include "settings.{plain}" .'),
    ("HorizontalPodAutoscaler", "spec.minReplicas"): Value(".Values.replicas.{name}.min"),
    ("HorizontalPodAutoscaler", "spec.maxReplicas"): Value(".Values.replicas.{name}.max"),
    ("ServiceAccount", "metadata.annotations"): Given(".Values.identities.{name}"),
    ("HTTPRoute", "spec.hostnames"): Given(".Values.gatewayApi.hostnames"),
    ("HTTPRoute", "spec.parentRefs"): Given(".Values.gatewayApi.parentRefs"),
    ("Ingress", "spec.ingressClassName"): Given(".Values.ingress.className"),
    ("Ingress", "metadata.annotations"): Given(".Values.ingress.annotations"),
    ("ServiceMonitor", "metadata.labels"): Given(".Values.monitoring.labels"),
    ("PrometheusRule", "metadata.labels"): Given(".Values.monitoring.labels"),
}
"""What users of the chart choose: where it stands in objects of a kind, and what stands there."""
HEAD = "{{- /* Made of deploy/k8s by `python -m deploy.chart`. */ -}}\n"
HOST = "ads.example.com"


def files() -> dict[Path, str]:
    """Return the generated files and their contents."""
    base = rendered(K8S / "base")
    variants = {LOCAL: rendered(K8S / "overlays" / "local")}
    variants |= {condition: base_with(name) for name, condition in COMPONENTS.items()}
    templates = CHART / "templates"
    written = {templates / "_settings.tpl": HEAD + "".join(_settings(base, variants))}
    dashboard = next(one for name in variants for key, one in variants[name].items() if key[1] == "grafana-dashboard")
    written[CHART / "files" / "dashboard.json"] = dashboard["data"]["dashboard.json"]
    for name, objects in _by_file(_objects(base, variants)).items():
        written[templates / f"{name}.yaml"] = HEAD + "---\n".join(objects)
    return written


def _objects(base: Objects, variants: dict[str, Objects]) -> dict[tuple[str, str], Node]:
    keys = dict.fromkeys(key for objects in (base, *variants.values()) for key in objects)
    given = {
        condition: {key: _parameters(key, node) for key, node in objects.items()}
        for condition, objects in variants.items()
    }
    plain = {key: _parameters(key, node) for key, node in base.items()}
    return {
        key: merge(plain.get(key, MISSING), {name: objects.get(key, MISSING) for name, objects in given.items()})
        for key in keys
    }


def _by_file(objects: dict[tuple[str, str], Node]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for (kind, name), node in objects.items():
        service = name.removesuffix("-settings")
        file = "network" if kind == "NetworkPolicy" else service if service in (*SERVICES, "weights") else "others"
        found.setdefault(file, []).append(emit(node))
    return found


def _parameters(key: tuple[str, str], node: Node) -> Node:
    """Return an object with the chart's values in the place of our examples."""
    kind, name = key
    node = _replaced(node)
    node["metadata"]["namespace"] = Value(".Release.Namespace | quote")
    if kind == "Deployment":
        _deployment(name, node)
    for (of, path), value in PARAMETERS.items():
        if kind == of:
            part = node
            *folders, last = path.split(".")
            for folder in folders:
                part = part[folder]
            part[last] = type(value)(value.expression.format(name=name, plain=name.removesuffix("-settings")))
    if name == "grafana-dashboard":
        node["data"] = {"dashboard.json": Value('.Files.Get "files/dashboard.json" | quote')}
    return node


def _deployment(name: str, node: Node) -> None:
    if name == "history" and node["spec"]["replicas"] != 1:
        node["spec"]["replicas"] = Value(".Values.replicas.history")
    template = node["spec"]["template"]
    template["metadata"]["annotations"] = {
        "checksum/settings": Value(f'include "settings.{name}" . | sha256sum | quote')
    }
    template["spec"]["imagePullSecrets"] = Given(".Values.images.pullSecrets")
    for source in template["spec"]["containers"][0]["envFrom"]:
        if source.get("secretRef", {}).get("name") == "gateway-secrets":
            source["secretRef"]["optional"] = Value("not .Values.keysRequired")


def _replaced(node: Node) -> Node:
    if isinstance(node, dict):
        return {key: _replaced(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value) for value in node]
    image = IMAGE.match(node) if isinstance(node, str) else None
    if image:
        return Value(f'include "image" (list . "{image[1]}")')
    return Value(".Values.ingress.host | quote") if node == HOST else node


def _settings(base: Objects, variants: dict[str, Objects]) -> Iterator[str]:
    """Return a template for the settings of each process: ours, those of components, then the user's."""
    for name in (*SERVICES, "weights"):
        key = ("ConfigMap", f"{name}-settings")
        ours = base[key].get("data") or {}
        yield f'{{{{- define "settings.{name}" -}}}}\n{{{{- $settings := {_dict(ours)} }}}}\n'
        for condition, objects in variants.items():
            more = {one: text for one, text in (objects[key].get("data") or {}).items() if ours.get(one) != text}
            if more:
                yield f"{{{{- if {condition} }}}}{{{{- $settings = merge ({_dict(more)}) $settings }}}}{{{{- end }}}}\n"
        yield f"{{{{- range $name, $text := .Values.settings.{name} }}}}"
        yield "{{- $settings = merge (dict $name (toString $text)) $settings }}{{- end }}\n"
        yield "{{- toJson $settings }}\n{{- end }}\n"


def _dict(texts: dict[str, str]) -> str:
    parts = " ".join(f'"{name}" "{text}"' for name, text in texts.items())
    return f"dict {parts}".strip()


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
