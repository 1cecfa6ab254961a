import math

import pytest
from google.protobuf.message import Message

from common.errors import InvalidInputError
from common.serving.validation import MAX_ENTRIES, MAX_TEXT, validate
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from productimage.record.v1 import record_pb2
from productimage.segmentation.v1 import segmentation_pb2
from productimage.upload.v1 import upload_pb2


def scene(**placement: object) -> generation_pb2.ComposeCreativesRequest:
    placed = generation_pb2.Placement(**placement)  # type: ignore[arg-type]
    return generation_pb2.ComposeCreativesRequest(scenes=[generation_pb2.Scene(placement=placed)])


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_are_finite_wherever_they_are(number: float) -> None:
    for message in (
        scene(reflectance=number),
        scene(light=generation_pb2.Light(up=number)),
        scene(light=generation_pb2.Light(up=1, shadow=number)),
        generation_pb2.GenerateBackgroundRequest(product_aspect_ratio=number),
        upload_pb2.PutCutoutRequest(product_aspect_ratio=number),
        segmentation_pb2.FindObjectsRequest(min_score=number),
    ):
        with pytest.raises(InvalidInputError) as caught:
            validate(message)
        assert caught.value.reason == "NOT_FINITE"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (generation_pb2.WriteCopyRequest(product=generation_pb2.Product(name="x" * (MAX_TEXT + 1))), "TEXT_TOO_LONG"),
        (
            generation_pb2.GenerateBackgroundRequest(terms=generation_pb2.Terms(features=["x" * (MAX_TEXT + 1)])),
            "TEXT_TOO_LONG",
        ),
        (
            record_pb2.SaveGenerationRequest(record=record_pb2.Record(engines={"copy": "x" * (MAX_TEXT + 1)})),
            "TEXT_TOO_LONG",
        ),
        (
            record_pb2.SaveGenerationRequest(record=record_pb2.Record(notes=[""] * (MAX_ENTRIES + 1))),
            "TOO_MANY_ENTRIES",
        ),
    ],
)
def test_texts_and_lists_have_an_end(message: Message, reason: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        validate(message)
    assert caught.value.reason == reason


def test_ordinary_messages_pass() -> None:
    validate(scene(light=generation_pb2.Light(right=-3, up=0.1), box=image_pb2.Box(right=5, bottom=5)))
    validate(record_pb2.SaveGenerationRequest(record=record_pb2.Record(engines={"copy": "templates"}, seed=2**32 - 1)))
    validate(upload_pb2.CreateUploadRequest(photo=bytes(30 << 20)))
