from collections.abc import AsyncIterator
from typing import Any

import grpc
import numpy as np
import pytest
import pytest_asyncio

from common.imaging.messages import to_message, to_pixels
from common.settings import ImageLimits
from productimage.generation.v1.generation_pb2 import (
    MESSAGE_ZONE_ABOVE,
    MESSAGE_ZONE_BELOW,
    MESSAGE_ZONE_LEFT,
    MESSAGE_ZONE_RIGHT,
    AspectRatio,
    Audience,
    ComposeCreativesRequest,
    CreativeSize,
    GenerateBackgroundRequest,
    Light,
    MessageZone,
    Placement,
    PlaceProductRequest,
    Product,
    RenderedSet,
    Scene,
    WriteCopyRequest,
)
from productimage.generation.v1.generation_pb2_grpc import GenerationServiceStub
from productimage.image.v1.image_pb2 import Box, Image, Region
from services.generation.__main__ import SERVICES, build
from services.generation.settings import GenerationSettings
from testing.pictures import decoded, disc_cutout, encoded, gradient
from testing.serving import rejected, serving

PRODUCT = Product(name="保溫瓶", description="不漏水")
AUDIENCE = Audience(gender="female", age="25-34", interest="pets")


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    settings = GenerationSettings(port=0)
    async with serving(settings, SERVICES, build) as opened:
        yield opened.channel


async def test_a_set_is_rendered_when_the_ads_are_composed(channel: grpc.aio.Channel) -> None:
    stub = GenerationServiceStub(channel)
    request = GenerateBackgroundRequest(
        product=PRODUCT, audience=AUDIENCE, aspect_ratio=AspectRatio(width=2, height=3), seed=4_294_967_295
    )
    answer = await stub.GenerateBackground(request)
    assert answer.engine == "set"
    assert answer.rendered_set.seed == 4_294_967_295
    assert answer.rendered_set.product == PRODUCT
    assert not answer.HasField("picture")
    compose = ComposeCreativesRequest(
        cutout=Image(encoded=encoded(disc_cutout(200))),
        scenes=[Scene(rendered_set=answer.rendered_set)],
        sizes=[CreativeSize(width=120, height=180), CreativeSize(width=100, height=90)],
    )
    first = await stub.ComposeCreatives(compose)
    assert [decoded(creative.file).shape for creative in first.creatives] == [(180, 120, 3), (90, 100, 3)]
    assert len({creative.set for creative in first.creatives}) == 1
    assert first.creatives[0].set
    assert await stub.ComposeCreatives(compose) == first, "the same seed gives the same files"


@pytest.mark.parametrize(
    ("zone", "column", "row"),
    [
        (MESSAGE_ZONE_LEFT, 0.74, None),
        (MESSAGE_ZONE_RIGHT, 0.26, None),
        (MESSAGE_ZONE_ABOVE, 0.5, 0.7),
        (MESSAGE_ZONE_BELOW, 0.5, 0.35),
    ],
)
async def test_room_is_left_for_words(
    zone: MessageZone.ValueType, column: float, row: float | None, channel: grpc.aio.Channel
) -> None:
    answer = await GenerationServiceStub(channel).ComposeCreatives(
        ComposeCreativesRequest(
            cutout=Image(encoded=encoded(disc_cutout(200))),
            scenes=[Scene(rendered_set=RenderedSet(product=PRODUCT, seed=1))],
            sizes=[CreativeSize(width=200, height=200)],
            message_zone=zone,
        )
    )
    pixels = decoded(answer.creatives[0].file).astype(int)
    rows, columns = np.nonzero((pixels[..., 0] > 170) & (pixels[..., 1:] < 90).all(axis=2))
    assert columns.mean() / 200 == pytest.approx(column, abs=0.03)
    if row is not None:
        assert rows.mean() / 200 == pytest.approx(row, abs=0.12)


async def test_an_own_picture_is_taken_as_the_background(channel: grpc.aio.Channel) -> None:
    room = np.full((300, 400, 3), (210, 200, 190), np.uint8)
    room[200:] = (120, 90, 60)
    request = GenerateBackgroundRequest(
        product=PRODUCT,
        aspect_ratio=AspectRatio(width=1, height=1),
        product_aspect_ratio=0.5,
        user_picture=Image(encoded=encoded(room)),
    )
    answer = await GenerationServiceStub(channel).GenerateBackground(request)
    assert np.array_equal(to_pixels(answer.picture, ImageLimits()), room)
    assert (answer.engine, answer.prompt) == ("own picture", "")
    assert answer.placement.estimated
    assert 200 < answer.placement.box.bottom <= 300


def region(left: int, top: int, right: int, bottom: int, *, marked: bool = True) -> Region:
    mask = np.full((bottom - top, right - left), 255 if marked else 0, np.uint8)
    return Region(box=Box(left=left, top=top, right=right, bottom=bottom), mask=to_message(mask))


async def test_a_product_is_placed_beside_what_is_there(channel: grpc.aio.Channel) -> None:
    room = np.full((300, 400, 3), (210, 200, 190), np.uint8)
    request = PlaceProductRequest(
        picture=to_message(room),
        placement=Placement(box=Box(left=10, top=10, right=390, bottom=290), light=Light(up=1, right=0.25)),
        things=[region(150, 60, 240, 240)],
        surfaces=[region(0, 190, 400, 290)],
        product=PRODUCT,
        product_aspect_ratio=0.5,
    )
    answer = await GenerationServiceStub(channel).PlaceProduct(request)
    box = answer.placement.box
    assert 190 < box.bottom <= 290
    assert box.right <= 150 or box.left >= 240
    assert answer.placement.light.right == pytest.approx(0.25), "the default, since no shadow shows"
    assert not answer.removed
    assert not answer.notes


async def test_where_a_product_cannot_be_placed(channel: grpc.aio.Channel) -> None:
    def wanted(**changes: Any) -> PlaceProductRequest:
        given = {
            "picture": to_message(gradient(40, 30)),
            "placement": Placement(box=Box(left=1, top=1, right=30, bottom=29)),
            "product": PRODUCT,
        }
        return PlaceProductRequest(**(given | changes))

    for request, reason in (
        (wanted(picture=Image()), "MISSING_IMAGE"),
        (wanted(product=Product()), "NAME_LENGTH"),
        (wanted(placement=Placement(box=Box(left=1, top=1, right=41, bottom=29))), "PLACEMENT_OUTSIDE"),
        (wanted(placement=Placement()), "PLACEMENT_OUTSIDE"),
        (wanted(placement=Placement(light=Light(up=1, softness=11))), "BAD_LIGHT"),
        (wanted(placement=Placement(pitch=1.6)), "BAD_PITCH"),
        (wanted(things=[region(0, 0, 41, 9)]), "REGION_OUTSIDE"),
        (wanted(surfaces=[region(0, 0, 9, 9, marked=False)]), "EMPTY_REGION"),
        (wanted(things=[region(0, 0, 9, 9)] * 65), "TOO_MANY_OBJECTS"),
        (wanted(product_aspect_ratio=-1), "PRODUCT_ASPECT_RATIO"),
    ):
        refused = await rejected(GenerationServiceStub(channel).PlaceProduct(request))
        assert refused[:2] == ("INVALID_ARGUMENT", reason)


async def test_copy_is_written_in_both_languages(channel: grpc.aio.Channel) -> None:
    stub = GenerationServiceStub(channel)
    chinese = await stub.WriteCopy(WriteCopyRequest(product=PRODUCT, audience=AUDIENCE))
    english = await stub.WriteCopy(WriteCopyRequest(product=PRODUCT, audience=AUDIENCE, locale="en"))
    assert "毛" in chinese.long_ad
    assert any(word in english.long_ad for word in ("walk", "paws", "Cats", "cat", "kitty", "Walks", "Tails"))
    assert "women" not in english.long_ad
    assert 50 <= len(chinese.short_ad) <= 100
    assert 200 <= len(english.long_ad) <= 300
    assert chinese.engine == "templates"


async def test_creatives_come_in_the_order_asked_for(channel: grpc.aio.Channel) -> None:
    sizes = [
        CreativeSize(width=336, height=280),
        CreativeSize(width=320, height=480),
        CreativeSize(width=728, height=90),
    ]
    zone = Placement(box=Box(left=100, top=60, right=500, bottom=450))
    answer = await GenerationServiceStub(channel).ComposeCreatives(
        ComposeCreativesRequest(
            scenes=[Scene(picture=to_message(gradient(600, 500)), placement=zone)],
            cutout=Image(encoded=encoded(disc_cutout(300))),
            sizes=sizes,
        )
    )
    assert [creative.size for creative in answer.creatives] == sizes
    for creative in answer.creatives:
        assert decoded(creative.file).shape == (creative.size.height, creative.size.width, 3)
        assert len(creative.file) <= 150_000


async def test_every_refusal(channel: grpc.aio.Channel) -> None:
    stub = GenerationServiceStub(channel)
    good = AspectRatio(width=1, height=1)
    for request, reason in (
        (GenerateBackgroundRequest(aspect_ratio=good), "NAME_LENGTH"),
        (GenerateBackgroundRequest(product=Product(name="\u200b \n"), aspect_ratio=good), "NAME_LENGTH"),
        (GenerateBackgroundRequest(product=Product(name="x" * 101), aspect_ratio=good), "NAME_LENGTH"),
        (GenerateBackgroundRequest(product=Product(name="x", description="x" * 5001)), "DESCRIPTION_LENGTH"),
        (GenerateBackgroundRequest(product=PRODUCT), "ASPECT_RATIO"),
        (GenerateBackgroundRequest(product=PRODUCT, aspect_ratio=AspectRatio(width=9, height=2)), "ASPECT_RATIO"),
        (GenerateBackgroundRequest(product=PRODUCT, aspect_ratio=good, short_side=1201), "SHORT_SIDE"),
        (
            GenerateBackgroundRequest(product=PRODUCT, aspect_ratio=good, user_picture=Image(encoded=b"GIF89a")),
            "UNSUPPORTED_IMAGE",
        ),
    ):
        assert (await rejected(stub.GenerateBackground(request)))[:2] == ("INVALID_ARGUMENT", reason)
    unknown = WriteCopyRequest(product=PRODUCT, locale="xx")
    assert (await rejected(stub.WriteCopy(unknown)))[:2] == ("INVALID_ARGUMENT", "UNKNOWN_LOCALE")
    assert (await rejected(stub.WriteCopy(WriteCopyRequest())))[:2] == ("INVALID_ARGUMENT", "NAME_LENGTH")

    size = CreativeSize(width=300, height=250)
    cutout = to_message(disc_cutout(50))
    scene = Scene(
        picture=to_message(gradient(60, 50)), placement=Placement(box=Box(left=10, top=5, right=50, bottom=40))
    )
    outside = Scene(picture=scene.picture, placement=Placement(box=Box(right=61, bottom=50)))
    from_below = Scene(
        picture=scene.picture, placement=Placement(box=scene.placement.box, light=Light(up=-1, shadow=0.3))
    )
    empty = to_message(np.zeros((5, 5, 4), np.uint8))
    opaque = to_message(gradient(5, 5))
    for compose, code, reason in (
        (ComposeCreativesRequest(cutout=cutout, sizes=[size]), "INVALID_ARGUMENT", "NO_SCENE"),
        (ComposeCreativesRequest(cutout=cutout, scenes=[scene]), "INVALID_ARGUMENT", "SIZE_COUNT"),
        (
            ComposeCreativesRequest(cutout=cutout, scenes=[scene], sizes=[CreativeSize(width=9, height=9)]),
            "INVALID_ARGUMENT",
            "SIZE_RANGE",
        ),
        (
            ComposeCreativesRequest(cutout=cutout, scenes=[outside], sizes=[size]),
            "INVALID_ARGUMENT",
            "PLACEMENT_OUTSIDE",
        ),
        (
            ComposeCreativesRequest(cutout=cutout, scenes=[from_below], sizes=[size]),
            "INVALID_ARGUMENT",
            "BAD_LIGHT",
        ),
        (ComposeCreativesRequest(cutout=opaque, scenes=[scene], sizes=[size]), "INVALID_ARGUMENT", "NO_ALPHA"),
        (
            ComposeCreativesRequest(cutout=empty, scenes=[scene], sizes=[size]),
            "FAILED_PRECONDITION",
            "EMPTY_CUTOUT",
        ),
        (ComposeCreativesRequest(scenes=[scene], sizes=[size]), "INVALID_ARGUMENT", "MISSING_IMAGE"),
    ):
        assert (await rejected(stub.ComposeCreatives(compose)))[:2] == (code, reason)
