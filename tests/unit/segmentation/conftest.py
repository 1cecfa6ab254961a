import pytest

from common.serving.engines import EngineRegistry
from services.segmentation.engines.base import Engines
from services.segmentation.engines.registry import load_engines
from services.segmentation.settings import SegmentationSettings


@pytest.fixture(scope="session")
def engines() -> Engines:
    """Load the default engines with their real weights."""
    return load_engines(SegmentationSettings(engine="mobile_sam"), EngineRegistry())
