"""The Helm chart gives the same objects as the kustomizations, and refuses what cannot work."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.chart.__main__ import CHART, COMPONENTS, files
from deploy.chart.emit import Given, Value, emit
from deploy.chart.merge import MISSING, Branches, merge
from deploy.chart.render import K8S, Objects, base_with, by_name, rendered
from tests.deploy.manifests import SCRIPTS

HELM = SCRIPTS / "helm"
pytestmark = pytest.mark.skipif(not HELM.exists(), reason="Helm has no wheel for this machine")
CHECKSUM = "checksum/settings"
PRODUCTION = {
    "gatewayApi": {"enabled": True},
    "mtls": {"enabled": True},
    "monitoring": {"enabled": True},
    "images": {"registry": "registry.example.com/"},
    "settings": {
        "history": {"HISTORY_STORE": "s3", "S3_BUCKET_NAME": "example-bucket", "S3_REGION": "eu-central-1"},
        "generation": {"GENERATION_BACKGROUND_ENGINE": "bedrock"},
        "gateway": {"GATEWAY_CORS_ORIGINS": '["https://ads.example.com"]', "GATEWAY_STATIC_DELIVERY": "redirect"},
        "weights": {"WEIGHTS_MIRROR": "s3://example-bucket/weights"},
    },
    "identities": {
        name: {"eks.amazonaws.com/role-arn": f"arn:aws:iam::000000000000:role/product-image-{role}"}
        for name, role in {
            "generation": "generation",
            "history": "history",
            "segmentation": "weights",
            "inpainting": "weights",
        }.items()
    },
}


def template(values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [str(HELM), "template", "ads", str(CHART), "--namespace", "product-image-generator", "--values", "-"]
    return subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True)


def charted(values: dict[str, Any]) -> Objects:
    """Return the chart's objects, but for what it alone has."""
    done = template({"priorityClass": {"create": False}, **values})
    assert done.returncode == 0, done.stderr
    objects = by_name(yaml.safe_load_all(done.stdout))
    for (kind, _), node in objects.items():
        if kind == "Deployment":
            annotations = node["spec"]["template"]["metadata"]["annotations"]
            assert len(annotations.pop(CHECKSUM)) == 64
            if not annotations:
                del node["spec"]["template"]["metadata"]["annotations"]
    return objects


def plain(objects: Objects) -> Objects:
    """Return objects without empty data, which kustomize leaves out, and lists of names in one order."""
    for node in objects.values():
        if node["kind"] == "ConfigMap" and not node.get("data"):
            node.pop("data", None)
    return {key: sorted_lists(node) for key, node in objects.items()}


def sorted_lists(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: sorted_lists(value) for key, value in node.items()}
    if isinstance(node, list):
        return sorted(
            (sorted_lists(value) for value in node),
            key=lambda one: str(one.get("name")) if isinstance(one, dict) else "",
        )
    return node


def switch(component: str) -> str:
    """Return the value that switches a component on."""
    return COMPONENTS[component].split(".")[2]


def test_the_chart_is_current() -> None:
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, f"run `python -m deploy.chart`: {path} is stale"
    made = {path for path in files() if path.parent.name == "templates"}
    by_hand = {"_helpers.tpl", "priority.yaml", "NOTES.txt"}
    assert {path.name for path in (CHART / "templates").iterdir()} == {path.name for path in made} | by_hand


def test_it_gives_what_the_base_gives() -> None:
    assert plain(charted({"keysRequired": False})) == plain(rendered(K8S / "base"))


@pytest.mark.parametrize("component", COMPONENTS)
def test_it_gives_what_each_component_gives(component: str) -> None:
    chosen = charted({"keysRequired": False, switch(component): {"enabled": True}})
    assert plain(chosen) == plain(base_with(component))


def test_it_gives_what_the_local_overlay_gives() -> None:
    assert plain(charted({"keysRequired": False, "local": {"enabled": True}})) == plain(
        rendered(K8S / "overlays" / "local")
    )


def test_it_gives_what_the_production_overlay_gives() -> None:
    assert plain(charted(PRODUCTION)) == plain(rendered(K8S / "overlays" / "production"))


def test_every_choice_together_is_complete() -> None:
    every = {switch(name): {"enabled": True} for name in COMPONENTS}
    objects = charted(every)
    assert {name for kind, name in objects if kind == "Deployment"} == {
        *("segmentation", "inpainting", "generation", "history", "gateway")
    }
    local = charted({**every, "local": {"enabled": True}})
    assert not [key for key in local if key[0] in ("HorizontalPodAutoscaler", "PodDisruptionBudget")]


def test_pods_are_replaced_when_their_settings_change() -> None:
    def checksum(values: dict[str, Any]) -> str:
        objects = by_name(yaml.safe_load_all(template(values).stdout))
        annotations = objects["Deployment", "gateway"]["spec"]["template"]["metadata"]["annotations"]
        return str(annotations[CHECKSUM])

    changed = {"settings": {"gateway": {"GATEWAY_STATIC_DELIVERY": "redirect"}}}
    assert checksum({}) != checksum(changed)
    assert checksum({}) == checksum({"settings": {"history": {"HISTORY_STORE": "disk"}}})


def test_images_are_taken_by_digest_and_pulled_with_a_secret() -> None:
    digest = "sha256:" + "0" * 64
    chosen = {"registry": "r.example.com/", "digests": {"gateway": digest}, "pullSecrets": [{"name": "pull"}]}
    spec = charted({"images": chosen})["Deployment", "gateway"]["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == f"r.example.com/product-image-gateway@{digest}"
    assert spec["imagePullSecrets"] == [{"name": "pull"}]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"mtsl": {"enabled": True}}, "mtsl"),
        ({"replicas": {"gateway": {"min": 0, "max": 4}}}, "min"),
        ({"images": {"registry": "registry.example.com"}}, "registry"),
        ({"images": {"digests": {"gateway": "latest"}}}, "digests"),
        ({"settings": {"gateway": {"GATEWAY_PORT": ["x"]}}}, "GATEWAY_PORT"),
        ({"ingress": {"enabled": True, "host": ""}}, "host"),
    ],
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any], told: str) -> None:
    done = template(values)
    assert done.returncode != 0
    assert told in done.stderr


def test_it_passes_helms_own_check() -> None:
    done = subprocess.run([HELM, "lint", "--strict", CHART], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(yaml.safe_load((CHART / "values.yaml").read_text())) == set(schema["properties"]) - {"global"}


@pytest.mark.parametrize(
    ("base", "variants", "expected"),
    [
        ({"a": 1}, {"x": {"a": 1}}, "a: 1\n"),
        ({"a": 1}, {"x": {"a": 2}}, "{{- if x }}\na: 2\n{{- else }}\na: 1\n{{- end }}\n"),
        ({"a": 1}, {"x": {}}, "{{- if not (x) }}\na: 1\n{{- end }}\n"),
        ({}, {"x": {"a": 1}, "y": {"a": 1}}, "{{- if or x y }}\na: 1\n{{- end }}\n"),
        ({}, {"x": {"a": 1}, "y": {"a": 2}}, "{{- if x }}\na: 1\n{{- else if y }}\na: 2\n{{- end }}\n"),
        ({"a": [1]}, {"x": {"a": [1, 2]}}, "a:\n  - 1\n{{- if x }}\n  - 2\n{{- end }}\n"),
        (
            {"a": [{"name": "p", "v": 1}]},
            {"x": {"a": [{"name": "p", "v": 1}, {"name": "m"}]}},
            "a:\n  - name: p\n    v: 1\n{{- if x }}\n  - name: m\n{{- end }}\n",
        ),
        ({"a": "{{ $value }}"}, {}, 'a: "{{ "{{" }} $value }}"\n'),
        (
            {"a": Value("b"), "c": Given(".d")},
            {},
            "a: {{ b }}\n{{- with .d }}\nc: {{- toYaml . | nindent 2 }}\n{{- end }}\n",
        ),
    ],
)
def test_variants_become_conditions(base: Any, variants: dict[str, Any], expected: str) -> None:
    assert emit(merge(base, variants)) == expected


def test_a_whole_object_may_be_there_under_a_condition() -> None:
    assert emit(merge(MISSING, {"x": {"a": 1}})) == "{{- if x }}\na: 1\n{{- end }}\n"
    assert merge({"a": 1}, {"x": MISSING, "y": {"a": 2}}) == Branches((("x", MISSING), ("y", {"a": 2})), {"a": 1})


def test_a_text_that_looks_like_something_else_stays_a_text(tmp_path: Path) -> None:
    texts = ["true", "no", "1", "1.5", "null", "a: b", "x y", "ü", "-", "", "200m", "0.2.0", "@x"]
    (tmp_path / "one.yaml").write_text(emit({"texts": texts}))
    assert yaml.safe_load((tmp_path / "one.yaml").read_text()) == {"texts": texts}
