"""The manifests against Kubernetes' schemas, and against what schemas cannot check."""

import functools
import importlib
import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from common.settings import ServiceSettings
from gateway.settings import GatewaySettings
from services.generation.engines.set.description import all_sets
from services.generation.engines.set.set_engine import PANORAMAS
from services.generation.message.fonts import FILES, OTHERS
from services.generation.settings import GenerationSettings
from services.history.settings import HistorySettings
from services.inpainting.settings import InpaintingSettings
from services.segmentation.settings import SegmentationSettings
from testing.processes import ROOT
from tests.deploy.manifests import (
    K8S,
    SCRIPTS,
    Manifest,
    base_with,
    containers,
    kustomize,
    named,
    of_kind,
    overlay,
    pod,
)
from weights.manifest import read_manifest

MINORS = ("1.35", "1.36", "1.37")
"""The three newest minor versions that kubernetes-validate supports."""
NOT_KUBERNETES = ("cert-manager.io/", "gateway.networking.k8s.io/", "monitoring.coreos.com/")
"""API groups of operators, whose schemas are not available here."""
SETTINGS: dict[str, type[ServiceSettings | GatewaySettings]] = {
    "segmentation": SegmentationSettings,
    "inpainting": InpaintingSettings,
    "generation": GenerationSettings,
    "history": HistorySettings,
    "gateway": GatewaySettings,
}
CALLED_BY_THE_GATEWAY = {
    "segmentation": ("cut_out", "object_finding"),
    "inpainting": ("inpainting",),
    "generation": ("copy", "background", "composition"),
    "history": ("history",),
}
"""Deadlines of the gateway, by the service that they apply to."""
IN_THE_IMAGES = {"WEIGHTS_DIR", "WEIGHTS_MIRROR"}


def deployments(manifests: list[Manifest]) -> list[Manifest]:
    found = of_kind(manifests, "Deployment")
    assert {one["metadata"]["name"] for one in found} == set(SETTINGS)
    return found


def labels(deployment: Manifest) -> dict[str, str]:
    given: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return given


def selects(selector: dict[str, Any], given: dict[str, str]) -> bool:
    """Whether a label selector matches these labels."""
    exact: dict[str, str] = selector.get("matchLabels", {})
    expressions = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in expressions)
    return exact.items() <= given.items() and all(given.get(one["key"]) in one["values"] for one in expressions)


@pytest.mark.parametrize("minor", MINORS)
def test_they_fit_the_schemas(manifests: list[Manifest], minor: str) -> None:
    ours = [one for one in manifests if not one["apiVersion"].startswith(NOT_KUBERNETES)]
    assert len(ours) > 20
    for manifest in ours:
        validate(json.dumps(manifest), minor)


@functools.cache  # most builds have the same
def validate(manifest: str, minor: str) -> None:
    kubernetes_validate.validate(json.loads(manifest), minor, strict=True)


def test_selectors_hit_their_pods(manifests: list[Manifest]) -> None:
    pods = {one["metadata"]["name"]: labels(one) for one in deployments(manifests)}
    for deployment in deployments(manifests):
        assert selects(deployment["spec"]["selector"], labels(deployment))
    for service in of_kind(manifests, "Service"):
        hit = [name for name, given in pods.items() if service["spec"]["selector"].items() <= given.items()]
        assert hit == [service["metadata"]["name"]]
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        assert [name for name, given in pods.items() if selects(budget["spec"]["selector"], given)] == [
            budget["metadata"]["name"]
        ]
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        assert scaler["spec"]["scaleTargetRef"]["name"] in pods
    for deployment in deployments(manifests):
        for constraint in pod(deployment)["topologySpreadConstraints"]:
            assert selects(constraint["labelSelector"], labels(deployment))
            assert "app.kubernetes.io/name" in constraint["matchLabelKeys"]


def test_ports_are_those_that_processes_listen_on(manifests: list[Manifest]) -> None:
    for deployment in deployments(manifests):
        name = deployment["metadata"]["name"]
        (container,) = pod(deployment)["containers"]
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        main = "http" if name == "gateway" else "grpc"
        assert ports == {main: SETTINGS[name].model_fields["port"].default, "metrics": 9464}
        service = named(manifests, "Service", name)
        assert {one["targetPort"] for one in service["spec"]["ports"]} <= ports.keys()
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            check = container[probe]
            if "grpc" in check:
                assert check["grpc"]["port"] == ports["grpc"]
                assert check["grpc"]["service"] in service_names(name)
            else:
                assert check["httpGet"]["port"] in ports
                assert check["httpGet"]["path"] == "/healthz"


def service_names(name: str) -> tuple[str, ...]:
    """Return the names of the gRPC services of a process."""
    services: tuple[str, ...] = importlib.import_module(f"services.{name}.__main__").SERVICES
    return services


def test_addresses_that_the_gateway_calls_exist(manifests: list[Manifest]) -> None:
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    targets = dict(re.findall(r"GATEWAY_(\w+)_TARGET=dns:///(\w+:\d+)", dockerfile))
    assert set(targets) == {"SEGMENTATION", "INPAINTING", "GENERATION", "HISTORY"}
    for target in targets.values():
        host, _, port = target.partition(":")
        service = named(manifests, "Service", host)
        assert service["spec"]["clusterIP"] == "None"  # otherwise all calls of a gateway would go to one pod
        assert int(port) in {one["port"] for one in service["spec"]["ports"]}


def test_every_pod_is_restricted(manifests: list[Manifest]) -> None:
    cluster = kustomize(K8S / "cluster")
    namespace = named(cluster, "Namespace", "product-image-generator")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for deployment in deployments(manifests):
        spec = pod(deployment)
        security = spec["securityContext"]
        assert security["runAsNonRoot"]
        assert security["runAsUser"] == 10001
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["priorityClassName"] == named(cluster, "PriorityClass", "")["metadata"]["name"]
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        for container in containers(deployment):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() >= {"cpu", "memory", "ephemeral-storage"}
            assert "memory" in container["resources"]["limits"]
            known = {volume["name"] for volume in spec["volumes"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= known
        assert all(volume.keys() & {"emptyDir", "secret", "persistentVolumeClaim"} for volume in spec["volumes"])


def test_weights_are_checked_before_they_are_used(manifests: list[Manifest]) -> None:
    for deployment in deployments(manifests):
        preparing = pod(deployment).get("initContainers", [])
        if deployment["metadata"]["name"] not in ("segmentation", "inpainting", "generation"):
            assert not preparing
            continue
        (weights,) = preparing
        command, *names = weights["args"]
        assert command == "fetch"  # which installs only files whose hash matches
        assert set(names) <= read_manifest().keys()
        (main,) = pod(deployment)["containers"]
        mount = next(one for one in main["volumeMounts"] if one["name"] == "weights")
        assert mount == {"name": "weights", "mountPath": "/weights", "readOnly": True}


def test_every_panorama_of_a_set_and_every_font_is_fetched(manifests: list[Manifest]) -> None:
    (generation,) = (one for one in deployments(manifests) if one["metadata"]["name"] == "generation")
    _, *names = pod(generation)["initContainers"][0]["args"]
    fetched = {Path(read_manifest()[name].file).stem for name in names}
    needed = {stage.panorama.name for stage in all_sets().values() if stage.panorama}
    fonts = {Path(file).stem for file in (*(one for files in FILES.values() for one in files), *OTHERS)}
    assert fetched == fonts | needed - {file.stem for file in PANORAMAS.glob("*.exr")}


def test_images_are_built_by_our_dockerfile(manifests: list[Manifest]) -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "deploy/docker/Dockerfile").read_text(), re.MULTILINE))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for deployment in deployments(manifests):
        for container in containers(deployment):
            found = re.fullmatch(r"(?:[\w.]+/)?product-image-(\w+):([\w.]+)(?:-cu130)?", container["image"])
            assert found, container["image"]
            assert found[1] in targets
            assert found[2] == version


def known_settings(name: str) -> set[str]:
    """Return every environment variable that a process reads."""
    settings = SETTINGS[name]
    return {
        str(field.validation_alias or f"{settings.model_config['env_prefix']}{key}".upper())
        for key, field in settings.model_fields.items()
    }


def test_settings_exist_in_the_code(manifests: list[Manifest]) -> None:
    for deployment in deployments(manifests):
        name = deployment["metadata"]["name"]
        for container in containers(deployment):
            known = IN_THE_IMAGES if container["name"] == "weights" else known_settings(name)
            references = [one["configMapRef"]["name"] for one in container["envFrom"] if "configMapRef" in one]
            assert len(references) == 1
            data = named(manifests, "ConfigMap", references[0]).get("data") or {}
            assert data.keys() <= known
            assert not re.search("secret|password", " ".join(data), re.IGNORECASE)
            if container["name"] != "weights":
                kind: Any = SETTINGS[name]
                prefix = kind.model_config["env_prefix"]
                read_from(kind, frozenset((key, value) for key, value in data.items() if key.startswith(prefix)))


@functools.cache  # most builds have the same
def read_from(kind: type[ServiceSettings | GatewaySettings], data: frozenset[tuple[str, str]]) -> None:
    """Read settings in a subprocess, as a process does; invalid ones fail it."""
    module = kind.__module__
    code = f"from {module} import {kind.__name__} as s; from common.settings import read_settings as r; r(s)"
    subprocess.run([sys.executable, "-c", code], env=dict(data), cwd=ROOT, check=True)


def test_a_pod_may_end_what_it_has_begun(manifests: list[Manifest]) -> None:
    gateway = GatewaySettings(_env_file=None)
    for deployment in deployments(manifests):
        name = deployment["metadata"]["name"]
        data = named(manifests, "ConfigMap", f"{name}-settings")["data"]
        grace = float(data[f"{name.upper()}_STOP_GRACE_SECONDS"])
        (container,) = pod(deployment)["containers"]
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        if name == "gateway":
            longest, wait = gateway.request_deadline_seconds, 0.0
        else:
            deadlines = [getattr(gateway, f"{stage}_deadline_seconds") for stage in CALLED_BY_THE_GATEWAY[name]]
            kind: Any = SETTINGS[name]
            longest, wait = max(deadlines), kind(_env_file=None).stop_wait_seconds
            # Calls on connections that are being renewed may finish as well.
            assert kind(_env_file=None).max_deadline_seconds >= longest
        assert grace >= longest
        assert pod(deployment)["terminationGracePeriodSeconds"] > pause + wait + grace


def test_every_deadline_of_the_gateway_is_counted_to_a_service() -> None:
    counted = {f"{stage}_deadline_seconds" for stages in CALLED_BY_THE_GATEWAY.values() for stage in stages}
    others = {"request_deadline_seconds", "ready_deadline_seconds"}
    others |= {"download_deadline_seconds"}
    assert {key for key in GatewaySettings.model_fields if key.endswith("_deadline_seconds")} == counted | others


def test_hand_made_certificates_are_good_for_the_names_that_are_called() -> None:
    manifests = overlay("production")
    for name in SETTINGS:
        certificate = named(manifests, "Certificate", name)
        assert certificate["spec"]["dnsNames"] == [name, "localhost"]
        deployment = named(manifests, "Deployment", name)
        secrets = [one["secret"]["secretName"] for one in pod(deployment)["volumes"] if "secret" in one]
        assert secrets == [certificate["spec"]["secretName"]]
        data = named(manifests, "ConfigMap", f"{name}-settings")["data"]
        files = [data[f"{name.upper()}_TLS_{key}"] for key in ("CA", "CERTIFICATE", "KEY")]
        assert files == ["/tls/ca.crt", "/tls/tls.crt", "/tls/tls.key"]


def test_the_local_overlay_needs_no_cloud_and_no_key() -> None:
    manifests = overlay("local")
    assert all(one["spec"]["replicas"] == 1 for one in deployments(manifests))
    assert not of_kind(manifests, "HorizontalPodAutoscaler", "PodDisruptionBudget", "Ingress")
    history = named(manifests, "Deployment", "history")
    claims = [
        one["persistentVolumeClaim"]["claimName"] for one in pod(history)["volumes"] if "persistentVolumeClaim" in one
    ]
    assert claims == [named(manifests, "PersistentVolumeClaim", "")["metadata"]["name"]]
    assert history["spec"]["strategy"] == {"type": "Recreate"}

    cpu = [pod(one)["containers"][0]["resources"]["requests"]["cpu"] for one in deployments(manifests)]
    assert sum(int(one.removesuffix("m")) for one in cpu) <= 1000, "half of a node of two CPUs is the cluster's own"


def test_what_an_autoscaler_scales_has_no_replicas_of_its_own(manifests: list[Manifest]) -> None:
    """Applying it again would scale down to that number, in the middle of load."""
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in of_kind(manifests, "HorizontalPodAutoscaler")}
    for deployment in deployments(manifests):
        assert ("replicas" in deployment["spec"]) is (deployment["metadata"]["name"] not in scaled)


def test_applying_again_changes_nothing(manifests: list[Manifest]) -> None:
    """A strategy without a type is patched anew each time."""
    for deployment in deployments(manifests):
        assert deployment["spec"]["strategy"]["type"] in ("RollingUpdate", "Recreate")


def test_in_production_the_gateway_does_not_start_without_keys() -> None:
    [container] = pod(named(overlay("production"), "Deployment", "gateway"))["containers"]
    [secret] = [one["secretRef"] for one in container["envFrom"] if "secretRef" in one]
    assert secret == {"name": "gateway-secrets", "optional": False}


@pytest.mark.parametrize("component", ["ingress", "gateway-api"])
def test_the_way_in_allows_what_the_gateway_does(component: str, tmp_path: Path) -> None:
    manifests = base_with(component, tmp_path)
    service = named(manifests, "Service", "gateway")
    ports = {one["port"]: one["name"] for one in service["spec"]["ports"]}
    if component == "ingress":
        [rule] = named(manifests, "Ingress", "gateway")["spec"]["rules"]
        assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "gateway", "port": {"name": "http"}}
        return
    [rule] = named(manifests, "HTTPRoute", "gateway")["spec"]["rules"]
    assert [ports[one["port"]] for one in rule["backendRefs"]] == ["http"]
    for timeout in rule["timeouts"].values():
        assert int(timeout.removesuffix("s")) > GatewaySettings().request_deadline_seconds


def test_an_upgrade_needs_no_spare_gpu(tmp_path: Path) -> None:
    for deployment in deployments(base_with("gpu", tmp_path)):
        if deployment["metadata"]["name"] in ("segmentation", "inpainting"):
            assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}


def test_the_gpu_component_asks_for_a_gpu(tmp_path: Path) -> None:
    for deployment in deployments(base_with("gpu", tmp_path)):
        limits = pod(deployment)["containers"][0]["resources"]["limits"]
        uses_models = deployment["metadata"]["name"] in ("segmentation", "inpainting")
        assert limits.get("nvidia.com/gpu") == (1 if uses_models else None)
        assert pod(deployment)["containers"][0]["image"].endswith("-cu130") == uses_models


def test_the_dockerfile_is_clean() -> None:
    dockerfile = str(ROOT / "deploy" / "docker" / "Dockerfile")
    done = subprocess.run([str(SCRIPTS / "hadolint"), dockerfile], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


EXAMPLES = sorted((K8S / "examples").glob("*.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_examples_fit_what_they_belong_to(file: Path) -> None:
    base = overlay("production")
    for manifest in yaml.safe_load_all(file.read_text()):
        group = manifest["apiVersion"]
        if group.startswith(("batch/", "networking.k8s.io/")):
            kubernetes_validate.validate(manifest, MINORS[-1], strict=True)
        if manifest["kind"] == "ExternalSecret":
            wanted = manifest["spec"]["target"]["name"]
            used = [
                source["secretRef"]["name"]
                for deployment in deployments(base)
                for source in pod(deployment)["containers"][0]["envFrom"]
                if "secretRef" in source
            ]
            assert wanted in used
        if manifest["kind"] == "PodIdentityAssociation":
            named(base, "ServiceAccount", manifest["spec"]["serviceAccount"])


def test_the_job_shares_its_catalogue_out() -> None:
    job, *policies = yaml.safe_load_all((K8S / "examples" / "batch.yaml").read_text())
    (command,) = job["spec"]["template"]["spec"]["containers"][0]["args"]
    count = job["spec"]["completions"]
    assert f"--part $number/{count} " in command
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("exec product-image", "echo")],
        env={"JOB_COMPLETION_INDEX": str(count - 1)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"--part {count}/{count} --out /work/ads-{count}" in done.stdout
    given = job["spec"]["template"]["metadata"]["labels"]
    assert selects(policies[0]["spec"]["ingress"][0]["from"][0]["podSelector"], given)
    assert selects(policies[1]["spec"]["podSelector"], given)


def test_the_runbook_copies_weights_of_every_kind() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").replace("\n", " ")
    found = re.search(r"aws s3 cp weights s3://BUCKET/weights --recursive((?: +--(?:in|ex)clude \"[^\"]+\")+)", text)
    assert found
    filters = re.findall(r"--(in|ex)clude \"([^\"]+)\"", found[1])

    def is_copied(name: str) -> bool:
        last = next((kind for kind, pattern in reversed(filters) if fnmatch(name, pattern)), "in")
        return last == "in"

    for one in read_manifest().values():
        assert is_copied(one.file), one.file
    for ours in ("manifest.toml", "fetch.py", "__pycache__/fetch.cpython-311.pyc"):
        assert not is_copied(ours)
