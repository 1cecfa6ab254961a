import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest

from common.imaging.codec import Pixels
from common.imaging.messages import to_mask, to_message, to_pixels
from common.serving.engines import EngineRegistry
from common.serving.executor import BoundedExecutor
from common.settings import ImageLimits
from productimage.image.v1.image_pb2 import IMAGE_ENCODING_PNG, PIXEL_FORMAT_RGB8, Box, Image, Point, RawPixels, Region
from productimage.segmentation.v1.segmentation_pb2 import CutOutRequest, FindObjectsRequest, PromptPoint, Stroke
from productimage.segmentation.v1.segmentation_pb2_grpc import (
    SegmentationServiceStub,
    add_SegmentationServiceServicer_to_server,
)
from services.segmentation.__main__ import SERVICES, build
from services.segmentation.engines.base import Candidate, Engines, Prompt
from services.segmentation.servicer import SegmentationServicer
from services.segmentation.settings import SegmentationSettings
from testing.pictures import ball, decoded, disc_cutout, encoded, table_with_ball
from testing.serving import registering, rejected, serving

if TYPE_CHECKING:
    from productimage.segmentation.v1.segmentation_pb2_grpc import SegmentationServiceAsyncStub

LIMITS = ImageLimits()


@pytest.fixture(scope="module")
def settings() -> SegmentationSettings:
    return SegmentationSettings(port=0, engine="mobile_sam", queue_size=2, max_image_pixels=1_000_000)


@pytest.fixture
async def channel(settings: SegmentationSettings, register_of: "Loaded") -> AsyncIterator[grpc.aio.Channel]:
    async with serving(settings, SERVICES, registering(register_of.register)) as opened:
        yield opened.channel


class Loaded:
    def __init__(self, settings: SegmentationSettings) -> None:
        self.register = build(settings, EngineRegistry())


@pytest.fixture(scope="module")
def register_of(settings: SegmentationSettings) -> Loaded:
    return Loaded(settings)


async def test_a_photo_is_cut_out(channel: grpc.aio.Channel) -> None:
    photo, truth = ball(320, 240)
    stub = SegmentationServiceStub(channel)
    answer = await stub.CutOut(CutOutRequest(photo=Image(encoded=encoded(photo)), encoding=IMAGE_ENCODING_PNG))
    pixels = decoded(answer.cutout.encoded)
    assert pixels.shape == (240, 320, 4)
    assert ((pixels[..., 3] > 127) == truth).mean() > 0.99
    assert answer.engine == "mobile_sam"
    assert 0 < answer.score <= 1
    raw = await stub.CutOut(CutOutRequest(photo=to_message(photo)))
    assert np.array_equal(to_pixels(raw.cutout, LIMITS), pixels)
    assert raw.bounds == answer.bounds


async def test_prompts_are_taken(channel: grpc.aio.Channel) -> None:
    photo, _ = ball(320, 240)
    stub = SegmentationServiceStub(channel)
    box = Box(left=70, top=30, right=250, bottom=210)
    points: Sequence[PromptPoint] = [
        PromptPoint(at=Point(x=160, y=120), on_product=True),
        PromptPoint(at=Point(x=5, y=5), on_product=False),
    ]
    for request in (
        CutOutRequest(photo=to_message(photo), box=box),
        CutOutRequest(photo=to_message(photo), points=points),
    ):
        answer = await stub.CutOut(request)
        assert answer.bounds.right - answer.bounds.left == pytest.approx(154, abs=8)


@pytest.mark.parametrize("as_cutout", [False, True])
async def test_a_mask_is_added_to_and_taken_away_from(channel: grpc.aio.Channel, as_cutout: bool) -> None:
    photo, truth = ball(320, 240)
    base = np.zeros((240, 320), np.uint8)
    base[100:140, 10:50] = 255
    message = to_message(np.dstack([photo, base]) if as_cutout else base)
    drawn = Region(box=Box(left=280, top=200, right=300, bottom=220), mask=to_message(np.full((2, 2), 255, np.uint8)))
    request = CutOutRequest(
        photo=to_message(photo),
        base_mask=message,
        points=[PromptPoint(at=Point(x=160, y=120), on_product=True)],
        strokes=[Stroke(region=drawn, on_product=True)],
    )
    alpha = to_pixels((await SegmentationServiceStub(channel).CutOut(request)).cutout, LIMITS)[..., 3] > 127
    wanted = truth | (base > 0)
    wanted[200:220, 280:300] = True
    assert (alpha == wanted).mean() > 0.99
    small = CutOutRequest(photo=to_message(photo), base_mask=to_message(base[:100]))
    assert (await rejected(SegmentationServiceStub(channel).CutOut(small)))[1] == "BAD_BASE_MASK"


async def test_a_photo_that_is_cut_out_already_is_kept(channel: grpc.aio.Channel) -> None:
    cutout = disc_cutout(60)
    answer = await SegmentationServiceStub(channel).CutOut(CutOutRequest(photo=Image(encoded=encoded(cutout))))
    assert answer.engine == "own_alpha"
    assert np.array_equal(to_pixels(answer.cutout, LIMITS)[..., 3], cutout[..., 3])


async def test_objects_are_found(channel: grpc.aio.Channel) -> None:
    picture, truth = ball(320, 240)
    answer = await SegmentationServiceStub(channel).FindObjects(FindObjectsRequest(picture=to_message(picture)))
    [found] = answer.objects
    assert found.label == "object"
    assert answer.engine == "mobile_sam"
    box, mask = found.region.box, to_pixels(found.region.mask, LIMITS)
    assert mask.shape == (box.bottom - box.top, box.right - box.left)
    assert set(np.unique(mask)) == {0, 255}
    assert (to_mask(found.region, 240, 320, LIMITS) == truth).mean() > 0.98


async def test_everything_is_found_and_what_it_stands_on(channel: grpc.aio.Channel) -> None:
    picture, (middle, foot) = table_with_ball(3)
    request = FindObjectsRequest(picture=to_message(picture), everywhere=True)
    answer = await SegmentationServiceStub(channel).FindObjects(request)
    there = [to_mask(found.region, 400, 500, LIMITS) for found in answer.objects]
    assert any(mask[foot - 60, middle] and mask.mean() < 0.2 for mask in there)
    assert not any(mask[20, 20] for mask in there), "the wall is no thing"
    table = to_mask(answer.surfaces[0], 400, 500, LIMITS)
    assert table[360, [20, 250, 480]].all()
    assert not table[100].any()
    assert not table[foot - 60, middle]


async def test_every_refusal(channel: grpc.aio.Channel) -> None:
    stub = SegmentationServiceStub(channel)
    photo, _ = ball(40, 30)
    plain = to_message(np.full((30, 40, 3), 250, np.uint8))

    async def cut(request: CutOutRequest) -> tuple[str, str | None, str]:
        return await rejected(stub.CutOut(request))

    assert (await cut(CutOutRequest()))[:2] == ("INVALID_ARGUMENT", "MISSING_IMAGE")
    assert (await cut(CutOutRequest(photo=Image(encoded=b"?"))))[:2] == ("INVALID_ARGUMENT", "UNSUPPORTED_IMAGE")
    short = Image(raw=RawPixels(width=2, height=2, format=PIXEL_FORMAT_RGB8, data=b"123"))
    assert (await cut(CutOutRequest(photo=short)))[:2] == ("INVALID_ARGUMENT", "WRONG_PIXEL_COUNT")
    large = Image(encoded=encoded(np.zeros((1001, 1000, 3), np.uint8)))
    assert (await cut(CutOutRequest(photo=large)))[:2] == ("INVALID_ARGUMENT", "TOO_MANY_PIXELS")
    outside = CutOutRequest(photo=to_message(photo), box=Box(left=0, top=0, right=41, bottom=30))
    assert (await cut(outside))[:2] == ("INVALID_ARGUMENT", "PROMPT_OUTSIDE")
    many = CutOutRequest(photo=to_message(photo), points=[PromptPoint(at=Point(x=1, y=1))] * 65)
    assert (await cut(many))[:2] == ("INVALID_ARGUMENT", "TOO_MANY_POINTS")
    code, reason, text = await cut(CutOutRequest(photo=plain))
    assert (code, reason) == ("FAILED_PRECONDITION", "NOTHING_FOUND")
    assert "No product stands out" in text
    scored = FindObjectsRequest(picture=plain, min_score=2)
    assert (await rejected(stub.FindObjects(scored)))[:2] == ("INVALID_ARGUMENT", "BAD_SCORE")


async def test_above_the_queue_calls_are_refused_and_none_is_mixed_up(channel: grpc.aio.Channel) -> None:
    stub = SegmentationServiceStub(channel)
    photos = [ball(100 + 5 * number, 80, colour=(30 * number, 40, 200 - 30 * number))[0] for number in range(6)]

    async def cut(number: int) -> str:
        try:
            answer = await stub.CutOut(CutOutRequest(photo=to_message(photos[number])))
        except grpc.aio.AioRpcError as error:
            return error.code().name
        pixels = to_pixels(answer.cutout, LIMITS)
        solid = pixels[..., 3] == 255
        assert np.array_equal(pixels[solid][:, :3], photos[number][solid])
        return "OK"

    outcomes = await asyncio.gather(*(cut(number) for number in range(6)))
    assert outcomes.count("OK") == 3
    assert outcomes.count("RESOURCE_EXHAUSTED") == 3
    assert await cut(0) == "OK"


@pytest.mark.slow
async def test_four_at_one_time_each_get_their_own(settings: SegmentationSettings, register_of: Loaded) -> None:
    photos = [ball(120 + 8 * number, 100, colour=(30 * number, 40, 240 - 30 * number))[0] for number in range(4)]
    roomy = settings.model_copy(update={"queue_size": 3})
    async with serving(roomy, SERVICES, registering(register_of.register)) as opened:
        channel = opened.channel
        stub = SegmentationServiceStub(channel)
        answers = await asyncio.gather(*(stub.CutOut(CutOutRequest(photo=to_message(photo))) for photo in photos))
    for photo, answer in zip(photos, answers, strict=True):
        pixels = to_pixels(answer.cutout, LIMITS)
        solid = pixels[..., 3] == 255
        assert solid.any()
        assert np.array_equal(pixels[solid][:, :3], photo[solid])


class Gated:
    """A segmenter that signals when it has begun and waits for a gate."""

    name = "gated"
    segments_anything = False

    def __init__(self) -> None:
        self.begun, self.gate = threading.Event(), threading.Event()

    def segment(self, picture: Pixels, _prompt: Prompt) -> list[Candidate]:
        self.begun.set()
        self.gate.wait(60)
        probability = np.zeros(picture.shape[:2], np.float32)
        probability[picture.shape[0] // 4 : -picture.shape[0] // 4, picture.shape[1] // 4 : -picture.shape[1] // 4] = 1
        return [Candidate(probability, 1.0)]


async def test_a_cancelled_call_frees_its_place(settings: SegmentationSettings) -> None:
    engine = Gated()

    def register(server: grpc.aio.Server, executor: BoundedExecutor) -> None:
        servicer = SegmentationServicer(Engines(engine, saliency=None), settings, executor)
        add_SegmentationServiceServicer_to_server(servicer, server)

    photo = to_message(ball(400, 300)[0])
    async with serving(settings, SERVICES, registering(register)) as opened:
        channel = opened.channel
        stub = SegmentationServiceStub(channel)

        async def fill_queue() -> "list[asyncio.Task[float]]":
            """Send one call more than the queue holds; return those that have a place in it."""
            tasks = [asyncio.create_task(_score(stub, photo)) for _ in range(settings.queue_size + 1)]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0.5)
            return [task for task in tasks if not task.done()]

        running = asyncio.create_task(_score(stub, photo))
        assert await asyncio.to_thread(engine.begun.wait, 10)
        waiting = await fill_queue()
        assert len(waiting) == settings.queue_size
        for task in waiting:
            task.cancel()
        again: list[asyncio.Task[float]] = []
        while len(again) < settings.queue_size:
            again += await fill_queue()
        engine.gate.set()
        assert await asyncio.gather(running, *again) == [1.0, 1.0, 1.0]


async def _score(stub: "SegmentationServiceAsyncStub", photo: Image) -> float:
    return float((await stub.CutOut(CutOutRequest(photo=photo))).score)
