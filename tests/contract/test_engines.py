"""What each service reports about its engines."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from pydantic import SecretStr

from common.serving.engines import EngineRegistry
from common.serving.server import Register
from productimage import EngineClient
from productimage.engine.v1 import engine_pb2
from services.generation import __main__ as generation
from services.generation.settings import GenerationSettings
from services.history import __main__ as history
from services.history.settings import HistorySettings
from services.inpainting import __main__ as inpainting
from services.inpainting.settings import InpaintingSettings
from services.segmentation import __main__ as segmentation
from services.segmentation.engines.mask_rcnn.torchvision_engine import build as build_mask_rcnn
from services.segmentation.settings import SegmentationSettings
from testing.serving import SettingsType, serving

FALLBACK, REQUESTED = engine_pb2.REASON_FALLBACK, engine_pb2.REASON_REQUESTED
AVAILABLE = engine_pb2.REASON_AVAILABLE


async def engines(
    settings: SettingsType, names: Sequence[str], build: Callable[[SettingsType, EngineRegistry], Register]
) -> dict[str, engine_pb2.Engine]:
    async with serving(settings, names, build) as connection:
        listed = await EngineClient(connection).list_engines()
    return {engine.capability: engine for engine in listed.engines}


async def test_segmentation_without_weights(tmp_path: Path) -> None:
    settings = SegmentationSettings(port=0, weights_dir=tmp_path)
    told = await engines(settings, segmentation.SERVICES, segmentation.build)
    cut_out = told["cut_out"]
    assert (cut_out.name, cut_out.reason, cut_out.remedy) == ("grabcut", FALLBACK, "python -m weights fetch")
    assert str(tmp_path / "mobile_sam.pt") in cut_out.subject
    assert (told["object_finding"].name, told["object_finding"].reason) == ("grabcut", FALLBACK)
    assert told["object_finding"].remedy.startswith(str(tmp_path / "maskrcnn_"))


async def test_segmentation_as_it_comes() -> None:
    settings = SegmentationSettings(port=0)
    told = await engines(settings, segmentation.SERVICES, segmentation.build)
    cut_out = told["cut_out"]
    assert (cut_out.name, cut_out.reason, cut_out.subject) == ("mobile_sam", AVAILABLE, "weights/mobile_sam.pt")
    assert cut_out.remedy == "python -m weights fetch vit_h"


async def test_inpainting(tmp_path: Path) -> None:
    settings = InpaintingSettings(port=0, weights_dir=tmp_path)
    told = await engines(settings, inpainting.SERVICES, inpainting.build)
    lacking = told["inpainting"]
    assert (lacking.name, lacking.reason, lacking.remedy) == ("opencv", FALLBACK, "python -m weights fetch")
    settings = InpaintingSettings(port=0, engine="opencv")
    told = await engines(settings, inpainting.SERVICES, inpainting.build)
    assert (told["inpainting"].reason, told["inpainting"].subject) == (REQUESTED, "INPAINTING_ENGINE")


async def test_generation() -> None:
    settings = GenerationSettings(port=0, background_engine="set")
    told = await engines(settings, generation.SERVICES, generation.build)
    assert (told["background"].name, told["background"].reason) == ("set", REQUESTED)
    assert told["renderer"].name in ("llvm_ad_rgb", "scalar_rgb")
    assert (told["copy"].name, told["copy"].reason, told["copy"].remedy) == ("templates", FALLBACK, "OPENAI_KEY=...")


@pytest.mark.slow  # to make a Mask R-CNN takes as long as twenty other tests
async def test_whatever_a_setting_names_is_requested(tmp_path: Path) -> None:
    torch.save(build_mask_rcnn(1).state_dict(), tmp_path / "maskrcnn_resnet50_fpn_coco.pth")
    segmenting = SegmentationSettings(port=0, weights_dir=tmp_path, engine="grabcut", object_finder="mask_rcnn")
    generating = GenerationSettings(port=0, background_engine="set", copy_engine="openai", openai_key=SecretStr("key"))
    told = {
        **await engines(segmenting, segmentation.SERVICES, segmentation.build),
        **await engines(InpaintingSettings(port=0, engine="migan"), inpainting.SERVICES, inpainting.build),
        **await engines(generating, generation.SERVICES, generation.build),
        **await engines(HistorySettings(port=0, store="disk", disk_dir=tmp_path), history.SERVICES, history.build),
    }
    del told["saliency"], told["renderer"]  # follow the cut-out engine and the machine
    assert {engine.reason for engine in told.values()} == {REQUESTED}, told
    assert {capability: engine.subject for capability, engine in told.items()} == {
        "cut_out": "SEGMENTATION_ENGINE",
        "object_finding": "SEGMENTATION_OBJECT_FINDER",
        "inpainting": "INPAINTING_ENGINE",
        "background": "GENERATION_BACKGROUND_ENGINE",
        "copy": "GENERATION_COPY_ENGINE",
        "storage": "HISTORY_STORE",
    }


async def test_history(tmp_path: Path) -> None:
    settings = HistorySettings(port=0, disk_dir=tmp_path)
    told = await engines(settings, history.SERVICES, history.build)
    storage = told["storage"]
    assert (storage.name, storage.reason, storage.subject) == ("disk", FALLBACK, "S3_BUCKET_NAME")
