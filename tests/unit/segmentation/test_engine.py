from pathlib import Path

import pytest

from common.errors import StartError
from common.serving.engines import EngineRegistry
from services.segmentation.engines.registry import NET, SAM_FILES, load_engines
from services.segmentation.settings import SegmentationSettings


def test_auto_falls_to_grabcut_without_weights(tmp_path: Path) -> None:
    engines = load_engines(SegmentationSettings(weights_dir=tmp_path), EngineRegistry())
    assert engines.segmenter.name == "grabcut"


def test_asking_for_missing_weights_is_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=SAM_FILES["mobile_sam"]):
        load_engines(SegmentationSettings(engine="mobile_sam", weights_dir=tmp_path), EngineRegistry())


@pytest.mark.parametrize("damaged", [SAM_FILES["mobile_sam"], NET])
def test_damaged_weights_are_an_error_that_names_the_file(tmp_path: Path, damaged: str) -> None:
    for name in (SAM_FILES["mobile_sam"], NET):
        real = Path("weights", name).read_bytes()
        (tmp_path / name).write_bytes(real[: len(real) // 2] if name == damaged else real)
    with pytest.raises(StartError, match=damaged):
        load_engines(SegmentationSettings(weights_dir=tmp_path), EngineRegistry())


def test_segment_anything_is_not_used_without_what_prompts_it(tmp_path: Path) -> None:
    name = SAM_FILES["mobile_sam"]
    (tmp_path / name).write_bytes(Path("weights", name).read_bytes())
    assert load_engines(SegmentationSettings(weights_dir=tmp_path), EngineRegistry()).segmenter.name == "grabcut"
    with pytest.raises(StartError, match=NET):
        load_engines(SegmentationSettings(engine="mobile_sam", weights_dir=tmp_path), EngineRegistry())
