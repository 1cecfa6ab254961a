from pathlib import Path

import pytest
import yaml

from tests.deploy.manifests import COMPONENTS, K8S, OVERLAYS, Manifest, kustomize, overlay

BUILDS = [*OVERLAYS, *(f"with {name}" for name in COMPONENTS)]


@pytest.fixture(scope="session", params=BUILDS)
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """Every overlay, and the base with every component by itself."""
    if request.param in OVERLAYS:
        return overlay(request.param)
    folder: Path = tmp_path_factory.mktemp("overlay")
    component = request.param.removeprefix("with ")
    # kustomize takes relative paths only.
    up = "../" * len(folder.parts)
    content = {
        "resources": [f"{up}{K8S.relative_to('/')}/base"],
        "components": [f"{up}{K8S.relative_to('/')}/components/{component}"],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return kustomize(folder)
