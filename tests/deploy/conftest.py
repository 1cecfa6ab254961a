import pytest

from tests.deploy.manifests import COMPONENTS, OVERLAYS, Manifest, base_with, overlay

BUILDS = [*OVERLAYS, *(f"with {name}" for name in COMPONENTS)]


@pytest.fixture(scope="session", params=BUILDS)
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """Build each overlay, and the base with each single component."""
    if request.param in OVERLAYS:
        return overlay(request.param)
    return base_with(request.param.removeprefix("with "), tmp_path_factory.mktemp("overlay"))
