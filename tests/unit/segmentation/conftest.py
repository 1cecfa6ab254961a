import pytest

from services.segmentation.engine import Engines, choose_engines
from services.segmentation.settings import SegmentationSettings


@pytest.fixture(scope="session")
def engines() -> Engines:
    """The default engines, with their real weights."""
    return choose_engines(SegmentationSettings(engine="mobile_sam"))
