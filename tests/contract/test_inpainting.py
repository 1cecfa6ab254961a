from collections.abc import AsyncIterator

import grpc
import numpy as np
import pytest

from productimage.image.v1.image_pb2 import Image
from productimage.inpainting.v1.inpainting_pb2 import InpaintRequest
from productimage.inpainting.v1.inpainting_pb2_grpc import InpaintingServiceStub
from services.inpainting.__main__ import SERVICE, load
from services.inpainting.settings import InpaintingSettings
from services.runtime.image import to_message, to_pixels
from services.runtime.settings import ImageLimits
from tests.contract.serving import refused, serving
from tests.pictures import encoded, gradient

PICTURE = gradient(160, 120)
MASK = np.zeros((120, 160), np.uint8)
MASK[40:80, 50:100] = 255


@pytest.fixture(params=["migan", "opencv"])
async def channel(request: pytest.FixtureRequest) -> AsyncIterator[grpc.aio.Channel]:
    settings = InpaintingSettings(port=0, engine=request.param, max_image_pixels=1_000_000)
    async with serving(settings, SERVICE, load(settings)) as opened:
        yield opened


async def test_the_hole_is_filled_and_the_rest_is_kept(channel: grpc.aio.Channel) -> None:
    stub = InpaintingServiceStub(channel)
    for mask in (to_message(MASK), Image(encoded=encoded(MASK))):
        answer = await stub.Inpaint(InpaintRequest(picture=to_message(PICTURE), mask=mask))
        filled = to_pixels(answer.picture, ImageLimits())
        assert np.array_equal(filled[MASK == 0], PICTURE[MASK == 0])
        assert (filled[MASK > 0] != PICTURE[MASK > 0]).any()
        assert answer.engine in ("migan", "opencv")


async def test_an_empty_mask_returns_the_picture(channel: grpc.aio.Channel) -> None:
    request = InpaintRequest(picture=to_message(PICTURE), mask=to_message(np.full_like(MASK, 127)))
    answer = await InpaintingServiceStub(channel).Inpaint(request)
    assert np.array_equal(to_pixels(answer.picture, ImageLimits()), PICTURE)


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
        assert (await refused(stub.Inpaint(request)))[:2] == (code, reason)
