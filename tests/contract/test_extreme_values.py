"""Every field of every request, at values that nobody means: the answer is a result or a refusal, never a failure.

A request that is taken as it is gets one field changed at a time, fields of messages that it lacks included.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import pytest_asyncio
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from common.imaging.messages import to_message
from productimage.brand.v1 import brand_pb2
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1 import inpainting_pb2
from productimage.object.v1 import object_pb2
from productimage.record.v1 import record_pb2
from productimage.segmentation.v1 import segmentation_pb2
from productimage.text.v1 import text_pb2
from productimage.upload.v1 import upload_pb2, upload_pb2_grpc
from services.generation import __main__ as generation
from services.generation.settings import GenerationSettings
from services.history import __main__ as history
from services.history.settings import HistorySettings
from services.inpainting import __main__ as inpainting
from services.inpainting.settings import InpaintingSettings
from services.segmentation import __main__ as segmentation
from services.segmentation.settings import SegmentationSettings
from testing.pictures import ball, disc_cutout, encoded, gradient
from testing.serving import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWERS = {"OK", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "ALREADY_EXISTS", "ABORTED"}
DEEPEST = 5
"""Messages within messages that are looked into."""
NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, 3e38, -3e38, 1e-30)
TEXTS = ("", "\x00", "../../etc/passwd", "\u202e\ud7ff%s{0}", "9" * 400)
FILES = (b"", b"\x00", b"\x89PNG\r\n\x1a\n")
NUMBER_TYPES = {
    FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64, FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE,
}  # fmt: skip

Field = Any
"""A FieldDescriptor, whose type depends on the implementation of protobuf."""

PHOTO = to_message(ball(48, 40)[0])
ROOM = to_message(gradient(60, 50))
MASK = np.zeros((50, 60), np.uint8)
MASK[20:30, 20:40] = 255
REGION = image_pb2.Region(box=image_pb2.Box(left=0, top=0, right=60, bottom=50), mask=to_message(MASK))
PRODUCT = generation_pb2.Product(name="Flask", description="Keeps tea warm.")
AUDIENCE = generation_pb2.Audience(gender="female", age="25-34", interest="pets")
PLACEMENT = generation_pb2.Placement(
    box=image_pb2.Box(left=10, top=10, right=40, bottom=45), light=generation_pb2.Light(right=-1, up=1, shadow=0.5)
)
SIZE = generation_pb2.CreativeSize(width=60, height=50, arrangement=generation_pb2.Arrangement(scale=1))
WORDS = text_pb2.Words(headline="Tea for two")


def requests_about_pictures() -> Iterator[Message]:
    """Yield requests to segmentation and inpainting that are taken as they are."""
    yield segmentation_pb2.CutOutRequest(photo=PHOTO)
    yield segmentation_pb2.FindObjectsRequest(picture=ROOM)
    yield inpainting_pb2.InpaintRequest(picture=ROOM, mask=to_message(MASK))
    yield inpainting_pb2.RemoveObjectsRequest(picture=ROOM, objects=[REGION])


def requests_about_ads() -> Iterator[Message]:
    """Yield requests to generation that are taken as they are."""
    for own in (None, ROOM):
        yield generation_pb2.GenerateBackgroundRequest(
            product=PRODUCT,
            audience=AUDIENCE,
            aspect_ratio=generation_pb2.AspectRatio(width=6, height=5),
            product_aspect_ratio=0.5,
            user_picture=own,
        )
    yield generation_pb2.PlaceProductRequest(
        picture=ROOM, placement=PLACEMENT, things=[REGION], surfaces=[REGION], product=PRODUCT
    )
    yield generation_pb2.WriteCopyRequest(product=PRODUCT, audience=AUDIENCE)
    yield generation_pb2.EstimateCostsRequest(copy=generation_pb2.WriteCopyRequest(product=PRODUCT))
    rendered = generation_pb2.RenderedSet(product=PRODUCT, audience=AUDIENCE, name="paper_sweep")
    for scene in (
        generation_pb2.Scene(picture=ROOM, placement=PLACEMENT),
        generation_pb2.Scene(rendered_set=rendered),
    ):
        yield generation_pb2.ComposeCreativesRequest(
            scenes=[scene],
            cutout=image_pb2.Image(encoded=encoded(disc_cutout(40))),
            sizes=[SIZE],
            message=generation_pb2.Message(words=WORDS, layout="auto"),
        )


def requests_about_history(timestamp: str) -> Iterator[Message]:
    """Yield requests to the history that are taken as they are."""
    yield upload_pb2.CreateUploadRequest(request_id="a", filename="a.png", photo=encoded(gradient(9, 9)))
    yield upload_pb2.PutCutoutRequest(timestamp=timestamp, cutout=encoded(disc_cutout(9)), engine="x")
    yield upload_pb2.RevertCutoutRequest(timestamp=timestamp)
    yield upload_pb2.GetUploadRequest(timestamp=timestamp)
    yield upload_pb2.DiscardUploadRequest(timestamp="x")
    yield upload_pb2.DeleteUploadRequest(timestamp="x")
    yield record_pb2.BeginRequestRequest(request_id="key", fingerprint="f")
    yield record_pb2.RenewRequestRequest(request_id="key")
    yield record_pb2.AbandonRequestRequest(request_id="key")
    yield record_pb2.SaveGenerationRequest(
        timestamp=timestamp,
        record=record_pb2.Record(product_name="Flask", engines={"copy": "templates"}),
        pictures=[record_pb2.Picture(name="300x250", file=encoded(gradient(9, 9), "JPEG"))],
    )
    yield record_pb2.ListRecordsRequest()
    yield record_pb2.DeleteRecordRequest(sequence=4_000_000)
    yield brand_pb2.PutBrandRequest(brand=brand_pb2.Brand(name="ours", primary_colour="#102030"))
    yield brand_pb2.GetBrandRequest(name="ours")
    yield brand_pb2.DeleteBrandRequest(name="other")
    yield object_pb2.SignObjectRequest(path="x")


def requests(timestamp: str) -> list[Message]:
    """Return requests that are taken as they are, at least one for every method that answers with one message."""
    return [*requests_about_pictures(), *requests_about_ads(), *requests_about_history(timestamp)]


def method_of(request: Message) -> Any:
    """Return the descriptor of the method that takes a request."""
    services = request.DESCRIPTOR.file.services_by_name.values()
    return next(one for service in services for one in service.methods if one.input_type == request.DESCRIPTOR)


def changed(base: Message, deepest: int = DEEPEST) -> Iterator[tuple[str, Message]]:
    """Yield copies of a message that differ in one field each, with the path of that field and its value."""
    for field in base.DESCRIPTOR.fields:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue  # validation and conversion treat maps as lists of texts
        if field.message_type is None:
            for value in values_of(field):
                yield f"{field.name}={value!r:.30}", with_field(base, field, value)
        elif deepest:
            yield f"{field.name}=empty", with_field(base, field, type(inner_of(base, field))())
            for path, inner in changed(inner_of(base, field), deepest - 1):
                yield f"{field.name}.{path}", with_field(base, field, inner)


def inner_of(base: Message, field: Field) -> Message:
    """Return the message in a field: what is there, or an empty one."""
    value = getattr(base, field.name)
    if not field.is_repeated:
        return value  # type: ignore[no-any-return]
    return value[0] if value else getattr(type(base)(), field.name).add()  # type: ignore[no-any-return]


def with_field(base: Message, field: Field, value: Any) -> Message:
    """Return a copy of a message with another value in a field."""
    copy = type(base)()
    copy.CopyFrom(base)
    if field.is_repeated:
        copy.ClearField(field.name)
        getattr(copy, field.name).extend([value])
    elif isinstance(value, Message):
        getattr(copy, field.name).CopyFrom(value)
        getattr(copy, field.name).SetInParent()
    else:
        setattr(copy, field.name, value)
    return copy


def values_of(field: Field) -> Iterator[Any]:
    """Yield values that fit the type of a field."""
    if field.enum_type is not None:
        yield from (0, 1, 99)
    elif field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        yield from (True, False)
    elif field.type == FieldDescriptor.TYPE_BYTES:
        yield from FILES
    elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        yield from TEXTS
    else:
        yield from (number for number in NUMBERS if fits(field, number))


def fits(field: Field, number: float) -> bool:
    """Return whether a field can hold a number."""
    if field.cpp_type in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return True
    bits = 64 if field.cpp_type in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64) else 32
    is_signed = field.cpp_type in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64)
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed else (0, 2**bits - 1)
    return isinstance(number, int) and least <= number <= most


class Services:
    """The four services, each in this process and on a port of its own."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], timestamp: str) -> None:
        self._channels = channels
        self.timestamp = timestamp

    async def outcome(self, request: Message) -> str:
        """Send a request; return the status code, and what it says."""
        method = method_of(request)
        package = method.containing_service.full_name.split(".")[1]
        call = self._channels.get(package, self._channels["history"]).unary_unary(
            f"/{method.containing_service.full_name}/{method.name}", type(request).SerializeToString, bytes
        )
        try:
            await call(request, timeout=60)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name} {error.details()}"
        return "OK"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    store = tmp_path_factory.mktemp("store")
    nowhere = Path(tmp_path_factory.mktemp("weights"))
    settings: dict[str, tuple[Any, Any]] = {
        "segmentation": (segmentation, SegmentationSettings(port=0, engine="grabcut", weights_dir=nowhere)),
        "inpainting": (inpainting, InpaintingSettings(port=0, engine="opencv")),
        "generation": (generation, GenerationSettings(port=0, background_engine="set", copy_engine="templates")),
        "history": (history, HistorySettings(port=0, store="disk", disk_dir=store)),
    }
    async with AsyncExitStack() as stack:
        channels = {
            name: (await stack.enter_async_context(serving(chosen, module.SERVICES, module.build))).channel
            for name, (module, chosen) in settings.items()
        }
        uploads = upload_pb2_grpc.UploadServiceStub(channels["history"])
        photo = upload_pb2.CreateUploadRequest(request_id="u", filename="a.png", photo=encoded(gradient(9, 9)))
        timestamp = (await uploads.CreateUpload(photo)).upload.timestamp
        cutout = upload_pb2.PutCutoutRequest(timestamp=timestamp, cutout=encoded(disc_cutout(9)), engine="x")
        await uploads.PutCutout(cutout)
        yield Services(channels, timestamp)


METHODS = sorted({method_of(request).name for request in requests("")})
SLOW = ("ComposeCreatives", "GenerateBackground", "PlaceProduct")


@pytest.mark.parametrize(
    "method", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in METHODS]
)
async def test_an_extreme_value_is_taken_or_refused(services: Services, method: str) -> None:
    failures = []
    for base in requests(services.timestamp):
        if method_of(base).name == method:
            for path, request in [("as it is", base), *changed(base)]:
                outcome = await services.outcome(request)
                if outcome.partition(" ")[0] not in ANSWERS:
                    failures.append(f"{path}: {outcome}")
    assert failures == []
    assert await services.outcome(record_pb2.ListRecordsRequest(page_size=100)) == "OK", "still readable"


async def test_every_method_is_tried() -> None:
    files = {request.DESCRIPTOR.file for request in requests("")}
    named = {one.name for file in files for service in file.services_by_name.values() for one in service.methods}
    assert named - set(METHODS) == {"StreamRecords", "ReadObject", "ListBrands"}, "streams, and what takes no field"
