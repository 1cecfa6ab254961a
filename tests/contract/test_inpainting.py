import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
import pytest_asyncio

from common.imaging.codec import Mask, Pixels
from common.imaging.messages import to_message, to_pixels
from common.serving.executor import BoundedExecutor
from common.settings import ImageLimits
from productimage.image.v1.image_pb2 import Box, Image, Region
from productimage.inpainting.v1.inpainting_pb2 import InpaintRequest, RemoveObjectsRequest
from productimage.inpainting.v1.inpainting_pb2_grpc import (
    InpaintingServiceStub,
    add_InpaintingServiceServicer_to_server,
)
from services.inpainting.__main__ import SERVICES, build
from services.inpainting.engines.deepfill.variant import PYTORCH
from services.inpainting.servicer import InpaintingServicer
from services.inpainting.settings import InpaintingSettings
from testing.pictures import decoded, encoded, gradient
from testing.serving import registering, rejected, serving
from tests.unit.inpainting.deepfill_weights import place

if TYPE_CHECKING:
    from productimage.inpainting.v1.inpainting_pb2_grpc import InpaintingServiceAsyncStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE = gradient(160, 120)
MASK = np.zeros((120, 160), np.uint8)
MASK[40:80, 50:100] = 255


@pytest.fixture(scope="module")
def deepfill_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return place(PYTORCH, tmp_path_factory.mktemp("weights"))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["deepfill", "migan", "opencv"])
async def channel(request: pytest.FixtureRequest, deepfill_weights: Path) -> AsyncIterator[grpc.aio.Channel]:
    folder = deepfill_weights if request.param == "deepfill" else Path("weights")
    settings = InpaintingSettings(port=0, engine=request.param, max_image_pixels=1_000_000, weights_dir=folder)
    async with serving(settings, SERVICES, build) as opened:
        yield opened.channel


async def test_the_hole_is_filled_and_the_rest_is_kept(channel: grpc.aio.Channel) -> None:
    stub = InpaintingServiceStub(channel)
    for mask in (to_message(MASK), Image(encoded=encoded(MASK))):
        answer = await stub.Inpaint(InpaintRequest(picture=to_message(PICTURE), mask=mask))
        filled = to_pixels(answer.picture, ImageLimits())
        assert np.array_equal(filled[MASK == 0], PICTURE[MASK == 0])
        assert (filled[MASK > 0] != PICTURE[MASK > 0]).any()
        assert answer.engine in ("deepfill_pytorch", "migan", "opencv")


async def test_an_empty_mask_returns_the_picture(channel: grpc.aio.Channel) -> None:
    request = InpaintRequest(picture=to_message(PICTURE), mask=to_message(np.full_like(MASK, 127)))
    answer = await InpaintingServiceStub(channel).Inpaint(request)
    assert np.array_equal(to_pixels(answer.picture, ImageLimits()), PICTURE)


@pytest.mark.parametrize("is_kept", [False, True])
async def test_the_picture_before_a_removal_can_be_kept(channel: grpc.aio.Channel, is_kept: bool) -> None:
    region = Region(mask=to_message(MASK[40:80, 50:100]), box=Box(left=50, top=40, right=100, bottom=80))
    request = RemoveObjectsRequest(picture=to_message(PICTURE), objects=[region], keep_picture=is_kept)
    stub = InpaintingServiceStub(channel)
    answer = await stub.RemoveObjects(request)
    assert not np.array_equal(to_pixels(answer.picture, ImageLimits()), PICTURE)
    assert bool(answer.kept_picture) == is_kept
    if is_kept:
        assert np.array_equal(decoded(answer.kept_picture), PICTURE)
        again = await stub.RemoveObjects(
            RemoveObjectsRequest(picture=Image(encoded=answer.kept_picture), objects=[region])
        )
        assert again.picture == answer.picture, "the same once more"


async def test_every_refusal(channel: grpc.aio.Channel) -> None:
    stub = InpaintingServiceStub(channel)
    picture = to_message(PICTURE)
    for request, code, reason in (
        (InpaintRequest(mask=to_message(MASK)), "INVALID_ARGUMENT", "MISSING_IMAGE"),
        (InpaintRequest(picture=picture), "INVALID_ARGUMENT", "MISSING_IMAGE"),
        (InpaintRequest(picture=picture, mask=to_message(MASK[:-1])), "INVALID_ARGUMENT", "MASK_SIZE"),
        (InpaintRequest(picture=picture, mask=picture), "INVALID_ARGUMENT", "MASK_COLOURS"),
        (
            InpaintRequest(picture=picture, mask=to_message(np.full_like(MASK, 255))),
            "FAILED_PRECONDITION",
            "NOTHING_KNOWN",
        ),
    ):
        assert (await rejected(stub.Inpaint(request)))[:2] == (code, reason)


@pytest.mark.parametrize("side", [1, 30])
async def test_a_hole_along_every_border(channel: grpc.aio.Channel, side: int) -> None:
    mask = np.full_like(MASK, 255)
    mask[side:-side, side:-side] = 0
    request = InpaintRequest(picture=to_message(PICTURE), mask=to_message(mask))
    filled = to_pixels((await InpaintingServiceStub(channel).Inpaint(request)).picture, ImageLimits())
    assert np.array_equal(filled[mask == 0], PICTURE[mask == 0])
    assert (filled[mask > 0] != PICTURE[mask > 0]).any()


@pytest.mark.slow
async def test_sixteen_at_one_time_each_get_their_own(deepfill_weights: Path) -> None:
    settings = InpaintingSettings(port=0, weights_dir=deepfill_weights, queue_size=15)
    pictures = [gradient(100 + 3 * number, 80 + number) for number in range(16)]

    async def filled(stub: "InpaintingServiceAsyncStub", picture: Pixels) -> Pixels:
        mask = np.zeros(picture.shape[:2], np.uint8)
        mask[30:50, 40:70] = 255
        answer = await stub.Inpaint(InpaintRequest(picture=to_message(picture), mask=to_message(mask)))
        pixels = to_pixels(answer.picture, ImageLimits())
        assert np.array_equal(pixels[mask == 0], picture[mask == 0])
        return pixels

    async with serving(settings, SERVICES, build) as opened:
        channel = opened.channel
        stub: InpaintingServiceAsyncStub = InpaintingServiceStub(channel)
        together = await asyncio.gather(*(filled(stub, picture) for picture in pictures))
        for picture, result in zip(pictures, together, strict=True):
            assert np.array_equal(await filled(stub, picture), result)


class Gated:
    """An engine that signals when it has begun and waits for a gate."""

    name = "gated"
    native_size = 512
    largest_hole = None

    def __init__(self) -> None:
        self.begun, self.gate = threading.Event(), threading.Event()

    def fill(self, pictures: Pixels, _holes: Mask) -> Pixels:
        self.begun.set()
        self.gate.wait(60)
        return pictures


async def test_above_the_queue_calls_are_refused_and_a_cancelled_one_frees_its_place() -> None:
    settings = InpaintingSettings(port=0, queue_size=1)
    engine = Gated()

    def register(server: grpc.aio.Server, executor: BoundedExecutor) -> None:
        add_InpaintingServiceServicer_to_server(InpaintingServicer(engine, settings, executor), server)

    request = InpaintRequest(picture=to_message(PICTURE), mask=to_message(MASK))
    async with serving(settings, SERVICES, registering(register)) as opened:
        channel = opened.channel
        stub: InpaintingServiceAsyncStub = InpaintingServiceStub(channel)
        running = asyncio.create_task(_engine_of(stub, request))
        assert await asyncio.to_thread(engine.begun.wait, 10)
        waiting = await _with_a_place(stub, request)
        assert (await rejected(stub.Inpaint(request)))[0] == "RESOURCE_EXHAUSTED"
        waiting.cancel()
        again = await _with_a_place(stub, request)
        engine.gate.set()
        assert await running == await again == "gated"


async def _engine_of(stub: "InpaintingServiceAsyncStub", request: InpaintRequest) -> str:
    return (await stub.Inpaint(request)).engine


async def _with_a_place(stub: "InpaintingServiceAsyncStub", request: InpaintRequest) -> "asyncio.Task[str]":
    """Send calls until one is not rejected; it waits in the queue."""
    while True:
        task = asyncio.create_task(_engine_of(stub, request))
        done, _ = await asyncio.wait([task], timeout=0.5)
        if not done:
            return task
        assert isinstance(task.exception(), grpc.aio.AioRpcError)
