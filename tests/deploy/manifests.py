"""Parsed manifests of the overlays."""

import functools
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import yaml

from testing.processes import ROOT

K8S = ROOT / "deploy" / "k8s"
SCRIPTS = Path(sysconfig.get_path("scripts"))
Manifest = dict[str, Any]

OVERLAYS = sorted(path.name for path in (K8S / "overlays").iterdir())
COMPONENTS = sorted(path.name for path in (K8S / "components").iterdir())


def kustomize(folder: Path) -> list[Manifest]:
    """Build a kustomization.

    Raises:
        AssertionError: The build fails; the message is what kubectl printed.
    """
    command = [str(SCRIPTS / "kubectl"), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(yaml.load_all(done.stdout, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def base_with(component: str, folder: Path) -> list[Manifest]:
    """Build the base with one component, using a kustomization in this folder."""
    k8s = f"{'../' * len(folder.parts)}{K8S.relative_to('/')}"  # kustomize takes relative paths only
    content = {"resources": [f"{k8s}/base"], "components": [f"{k8s}/components/{component}"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return kustomize(folder)


@functools.cache
def overlay(name: str) -> list[Manifest]:
    """Build an overlay."""
    return kustomize(K8S / "overlays" / name)


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    """Return the manifests of these kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """Return the only manifest whose name starts with this; generated names have suffixes."""
    found = [one for one in of_kind(manifests, kind) if one["metadata"]["name"].startswith(name)]
    assert len(found) == 1, f"{len(found)} of kind {kind} are named {name}"
    return found[0]


def pod(deployment: Manifest) -> Manifest:
    """Return the pod spec of a deployment."""
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec


def containers(deployment: Manifest) -> list[Manifest]:
    """Return all containers of a deployment, init containers included."""
    return [*pod(deployment).get("initContainers", ()), *pod(deployment)["containers"]]
