"""The ports that the command line knows, held against the services' own."""

import pytest

from cli.ports import Ports
from gateway.settings import GatewaySettings
from services.generation.settings import GenerationSettings
from services.history.settings import HistorySettings
from services.inpainting.settings import InpaintingSettings
from services.segmentation.settings import SegmentationSettings


def test_the_defaults_are_those_of_the_processes() -> None:
    assert Ports.of_settings() == Ports(
        gateway=GatewaySettings().port,
        segmentation=SegmentationSettings().port,
        inpainting=InpaintingSettings().port,
        generation=GenerationSettings().port,
        history=HistorySettings().port,
    )


def test_settings_change_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "8123")
    assert Ports.of_settings().gateway == 8123
