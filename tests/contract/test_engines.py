"""What each service tells about its engines."""

from pathlib import Path

from productimage.engine.v1 import engine_pb2
from productimage.engine.v1.engine_pb2_grpc import EngineServiceStub
from services.generation import __main__ as generation
from services.generation.settings import GenerationSettings
from services.history import __main__ as history
from services.history.settings import HistorySettings
from services.inpainting import __main__ as inpainting
from services.inpainting.settings import InpaintingSettings
from services.runtime.server import Register
from services.runtime.settings import ServiceSettings
from services.segmentation import __main__ as segmentation
from services.segmentation.settings import SegmentationSettings
from tests.contract.serving import serving

LACKING, ASKED_FOR = engine_pb2.REASON_LACKING, engine_pb2.REASON_ASKED_FOR
FOUND = engine_pb2.REASON_FOUND


async def engines(settings: ServiceSettings, service: str, register: Register) -> dict[str, engine_pb2.Engine]:
    async with serving(settings, service, register) as channel:
        answer = await EngineServiceStub(channel).ListEngines(engine_pb2.ListEnginesRequest())
    return {engine.capability: engine for engine in answer.engines}


async def test_segmentation_without_weights(tmp_path: Path) -> None:
    settings = SegmentationSettings(port=0, weights_dir=tmp_path)
    told = await engines(settings, segmentation.SERVICE, segmentation.load(settings))
    cut_out = told["cut_out"]
    assert (cut_out.name, cut_out.reason, cut_out.remedy) == ("grabcut", LACKING, "python -m weights fetch")
    assert str(tmp_path / "mobile_sam.pt") in cut_out.subject
    assert (told["object_finding"].name, told["object_finding"].reason) == ("grabcut", LACKING)
    assert told["object_finding"].remedy.startswith(str(tmp_path / "maskrcnn_"))


async def test_segmentation_as_it_comes() -> None:
    settings = SegmentationSettings(port=0)
    told = await engines(settings, segmentation.SERVICE, segmentation.load(settings))
    cut_out = told["cut_out"]
    assert (cut_out.name, cut_out.reason, cut_out.subject) == ("mobile_sam", FOUND, "weights/mobile_sam.pt")
    assert cut_out.remedy == "python -m weights fetch vit_h"


async def test_inpainting(tmp_path: Path) -> None:
    settings = InpaintingSettings(port=0, weights_dir=tmp_path)
    told = await engines(settings, inpainting.SERVICE, inpainting.load(settings))
    lacking = told["inpainting"]
    assert (lacking.name, lacking.reason, lacking.remedy) == ("opencv", LACKING, "python -m weights fetch")
    settings = InpaintingSettings(port=0, engine="opencv")
    told = await engines(settings, inpainting.SERVICE, inpainting.load(settings))
    assert (told["inpainting"].reason, told["inpainting"].subject) == (ASKED_FOR, "INPAINTING_ENGINE")


async def test_generation() -> None:
    settings = GenerationSettings(port=0, background_engine="studio")
    told = await engines(settings, generation.SERVICE, generation.load(settings))
    assert (told["background"].name, told["background"].reason) == ("studio", ASKED_FOR)
    assert (told["copy"].name, told["copy"].reason, told["copy"].remedy) == ("templates", LACKING, "OPENAI_KEY=...")


async def test_history(tmp_path: Path) -> None:
    settings = HistorySettings(port=0, disk_dir=tmp_path)
    told = await engines(settings, history.SERVICE, history.load(settings))
    storage = told["storage"]
    assert (storage.name, storage.reason, storage.subject) == ("disk", LACKING, "S3_BUCKET_NAME")
