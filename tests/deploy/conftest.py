import pytest

from tests.deploy.manifests import COMPONENTS, OVERLAYS, Manifest, base_with, overlay

BUILDS = [*OVERLAYS, *(f"with {name}" for name in COMPONENTS)]
BUILT: dict[str, list[Manifest]] = {}
"""Builds by name: in random order pytest asks for each of them again and again."""


@pytest.fixture(scope="session", params=BUILDS)
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """Build each overlay, and the base with each single component."""
    if request.param in OVERLAYS:
        return overlay(request.param)
    if request.param not in BUILT:
        folder = tmp_path_factory.mktemp("overlay")
        BUILT[request.param] = base_with(request.param.removeprefix("with "), folder)
    return BUILT[request.param]
