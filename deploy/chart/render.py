"""Rendered kustomizations: objects by kind and name, without what kustomize adds to names of settings."""

import re
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import yaml

K8S = Path(__file__).parents[1] / "k8s"
KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"
HASHED = re.compile(r"^((?:[a-z]+-settings)|grafana-dashboard)-[a-z0-9]{10}$")
"""Names of generated config maps, with the digest of their content."""

Node = Any
"""Part of a manifest."""
Objects = dict[tuple[str, str], Node]
"""Manifests by kind and name."""


def rendered(folder: Path) -> Objects:
    """Render a kustomization.

    Raises:
        subprocess.CalledProcessError: It cannot be rendered.
    """
    done = subprocess.run(  # noqa: S603  # ours
        [KUBECTL, "kustomize", folder], capture_output=True, text=True, check=True
    )
    return by_name(yaml.safe_load_all(done.stdout))


def base_with(component: str) -> Objects:
    """Render the base with a component."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        up = "../" * (len(folder.parts) - 1)  # kustomize takes relative paths only
        k8s = f"{up}{K8S.resolve().relative_to('/')}"
        parts = {"resources": [f"{k8s}/base"], "components": [f"{k8s}/components/{component}"]}
        content = {"namespace": "product-image-generator", **parts}
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
        return rendered(folder)


def by_name(manifests: Any) -> Objects:
    """Return manifests by kind and name, their settings under plain names."""
    plain = [_plain(one) for one in manifests if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in plain}


def _plain(node: Node) -> Node:
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    found = HASHED.match(node) if isinstance(node, str) else None
    return found[1] if found else node
