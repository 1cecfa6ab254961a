"""Kubernetes' pods without a cluster: `podman kube play` runs what kustomize builds, as far as podman has a word for it.

Each Deployment becomes one pod with the name of its Service, by which podman's name server lets the others find it.
Podman knows no Services, policies, budgets, autoscalers, probes by gRPC or classes of priority.
"""

import copy
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.manifests import Manifest, of_kind

PODMAN = os.environ.get("PODMAN", "podman")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
FOR_A_CLUSTER = ("topologySpreadConstraints", "priorityClassName", "serviceAccountName")
# Podman removes init containers that ran once, and now and then before it has seen their end.
KEEP_INIT_CONTAINERS = {"io.podman.annotations.init.container.type": "always"}


def podman(*arguments: str, given: str | None = None) -> str:
    """Run a command, give it this as input, and return its output.

    Raises:
        AssertionError: The command failed; the message is its standard error.
    """
    done = subprocess.run([PODMAN, *arguments], capture_output=True, text=True, input=given)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Pods:
    """Pods that run.

    Attributes:
        manifests: What kustomize built.
        address: Of the gateway.
    """

    manifests: Sequence[Manifest]
    address: str

    def inspect(self, pod: str, container: str) -> dict[str, Any]:
        """Return `podman inspect` of a container."""
        found: dict[str, Any] = json.loads(podman("inspect", "--type=container", f"{pod}-{container}"))[0]
        return found

    def python(self, pod: str, code: str) -> str:
        """Run Python code in a pod's main container; return its output."""
        return podman("exec", f"{pod}-{pod}", "python", "-c", code).strip()


def play(manifests: list[Manifest], network: str, port: int) -> None:
    """Run the pods of all deployments; the gateway answers at a port of this host."""
    claims = _of_ours(manifests, "PersistentVolumeClaim")  # before the pods that mount them
    settings = [{"data": {}, **one} for one in _of_ours(manifests, "ConfigMap")]  # beside the pods that read them
    pods = [_pod(deployment, port) for deployment in of_kind(manifests, "Deployment")]
    for wave in (claims, [*settings, *pods]):
        podman("kube", "play", f"--network={network}", "-", given=yaml.safe_dump_all(wave))


def volume(name: str) -> Path:
    """Return the folder of this host that is a claim's volume."""
    return Path(podman("volume", "inspect", name, "--format={{.Mountpoint}}").strip())


def claim(name: str) -> Manifest:
    """Return a claim for a volume."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def _of_ours(manifests: list[Manifest], kind: str) -> list[Manifest]:
    """Return the manifests of a kind, without their namespace."""
    found = copy.deepcopy(of_kind(manifests, kind))
    for one in found:
        del one["metadata"]["namespace"]
    return found


def _pod(deployment: Manifest, port: int) -> Manifest:
    name, template = deployment["metadata"]["name"], copy.deepcopy(deployment["spec"]["template"])
    spec = template["spec"]
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        container |= {"image": f"localhost/{container['image']}", "imagePullPolicy": "Never"}
        for unknown in ("ports", *PROBES):  # podman would publish every port
            container.pop(unknown, None)
    if name == "gateway":
        spec["containers"][0]["ports"] = [{"containerPort": 8000, "hostPort": port, "hostIP": "127.0.0.1"}]
    for unknown in FOR_A_CLUSTER:
        spec.pop(unknown, None)
    metadata = {**template["metadata"], "name": name, "annotations": KEEP_INIT_CONTAINERS}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
