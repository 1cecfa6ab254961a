from pathlib import Path

import pytest

from services.runtime.server import StartError
from services.segmentation.engine import SALIENCY_FILE, SAM_FILES, choose_engines
from services.segmentation.settings import SegmentationSettings


def test_auto_falls_to_grabcut_without_weights(tmp_path: Path) -> None:
    engines = choose_engines(SegmentationSettings(weights_dir=tmp_path))
    assert engines.segmenter.name == "grabcut"


def test_asking_for_missing_weights_is_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=SAM_FILES["mobile_sam"]):
        choose_engines(SegmentationSettings(engine="mobile_sam", weights_dir=tmp_path))


@pytest.mark.parametrize("damaged", [SAM_FILES["mobile_sam"], SALIENCY_FILE])
def test_damaged_weights_are_an_error_that_names_the_file(tmp_path: Path, damaged: str) -> None:
    for name in (SAM_FILES["mobile_sam"], SALIENCY_FILE):
        real = Path("weights", name).read_bytes()
        (tmp_path / name).write_bytes(real[: len(real) // 2] if name == damaged else real)
    with pytest.raises(StartError, match=damaged):
        choose_engines(SegmentationSettings(weights_dir=tmp_path))


def test_segment_anything_is_not_used_without_what_prompts_it(tmp_path: Path) -> None:
    name = SAM_FILES["mobile_sam"]
    (tmp_path / name).write_bytes(Path("weights", name).read_bytes())
    assert choose_engines(SegmentationSettings(weights_dir=tmp_path)).segmenter.name == "grabcut"
    with pytest.raises(StartError, match=SALIENCY_FILE):
        choose_engines(SegmentationSettings(engine="mobile_sam", weights_dir=tmp_path))
