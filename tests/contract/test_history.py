import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import ParseDict

from common.errors import StartError
from common.serving.engines import EngineRegistry
from productimage.object.v1.object_pb2 import ObjectInfo, ReadObjectRequest
from productimage.object.v1.object_pb2_grpc import ObjectServiceStub
from productimage.provenance.v1.provenance_pb2 import Manifest, Stage
from productimage.record.v1.record_pb2 import (
    AbandonRequestRequest,
    BeginRequestRequest,
    DeleteRecordRequest,
    ListInfo,
    ListRecordsRequest,
    Picture,
    Record,
    RecordFilter,
    RenewRequestRequest,
    SaveGenerationRequest,
    StreamRecordsRequest,
)
from productimage.record.v1.record_pb2_grpc import RecordServiceStub
from productimage.upload.v1.upload_pb2 import (
    CreateUploadRequest,
    DeleteUploadRequest,
    DiscardUploadRequest,
    GetUploadRequest,
    PutCutoutRequest,
    Upload,
)
from productimage.upload.v1.upload_pb2_grpc import UploadServiceStub
from services.history import __main__ as history
from services.history.__main__ import SERVICES, build
from services.history.paths import RECORDS
from services.history.settings import HistorySettings
from services.history.storage.base import ConflictError
from services.history.storage.disk import DiskStore
from services.history.storage.registry import open_store
from testing.pictures import encoded, gradient
from testing.serving import rejected, serving
from testing.stores import DelayedStore
from tests.unit.history.conftest import s3_client, s3_settings, s3_url

__all__ = ["s3_client", "s3_settings", "s3_url"]

PHOTO = encoded(gradient(30, 20))
CUTOUT = encoded(gradient(31, 20))
JPEG = encoded(gradient(30, 25), "JPEG")
WEBP = encoded(gradient(30, 25), "WEBP")
STAGE = Stage(name="cut_out", engine="mobile_sam", seconds=1.25, inputs=["ab"], outputs=["cd"])
MANIFEST = Manifest(
    software_version="1.2.3",
    stages=[STAGE, Stage(name="background", engine="bedrock", model="m", seed=4_294_967_295, prompt="瓶")],
)


LATENCY = 0.03


@pytest.fixture(params=["disk", "disk far away", "s3"])
async def channel(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[grpc.aio.Channel]:
    if request.param == "s3":
        settings = request.getfixturevalue("s3_settings").model_copy(update={"port": 0})
    else:
        settings = HistorySettings(port=0, store="disk", disk_dir=tmp_path)
    if request.param == "disk far away":
        monkeypatch.setattr(history, "open_store", lambda *_: DelayedStore(DiskStore.connect(tmp_path), LATENCY))
    async with serving(settings, SERVICES, build) as opened:
        yield opened.channel


async def create(channel: grpc.aio.Channel, request_id: str = "upload-1") -> Upload:
    request = CreateUploadRequest(request_id=request_id, filename="my flask.png", photo=PHOTO)
    return (await UploadServiceStub(channel).CreateUpload(request)).upload


async def save(channel: grpc.aio.Channel, upload: Upload, request_id: str = "generation-1") -> Record:
    request = SaveGenerationRequest(
        request_id=request_id,
        timestamp=upload.timestamp,
        record=Record(
            product_name="瓶",
            engines={"copy": "templates"},
            seed=4_000_000_000,
            prompts=["a", "b"],
            manifest=MANIFEST,
        ),
        pictures=[Picture(name="300x250", file=JPEG), Picture(name="320x480", file=WEBP)],
    )
    return (await RecordServiceStub(channel).SaveGeneration(request)).record


async def read(channel: grpc.aio.Channel, path: str, etag: str = "") -> tuple[ObjectInfo, list[bytes]]:
    parts = [
        part async for part in ObjectServiceStub(channel).ReadObject(ReadObjectRequest(path=path, if_none_match=etag))
    ]
    return parts[0].info, [part.chunk for part in parts[1:]]


async def test_the_life_of_an_upload(channel: grpc.aio.Channel) -> None:
    upload = await create(channel)
    assert upload.photo_path == f"{upload.timestamp}/upload/my_flask.png"
    assert await create(channel) == upload
    stored = await UploadServiceStub(channel).PutCutout(
        PutCutoutRequest(
            timestamp=upload.timestamp,
            cutout=CUTOUT,
            engine="mobile_sam",
            stage=STAGE,
            product_aspect_ratio=0.5,
        )
    )
    assert (stored.upload.timestamp, stored.upload.photo_path) == (upload.timestamp, upload.photo_path)
    upload = stored.upload
    found = await UploadServiceStub(channel).GetUpload(GetUploadRequest(timestamp=upload.timestamp))
    assert (found.upload, found.cutout, found.cutout_engine) == (upload, CUTOUT, "mobile_sam")
    assert (found.cutout_stage, found.product_aspect_ratio) == (STAGE, 0.5)
    discard = DiscardUploadRequest(timestamp=upload.timestamp)
    assert (await UploadServiceStub(channel).DiscardUpload(discard)).discarded
    assert not (await UploadServiceStub(channel).DiscardUpload(discard)).discarded
    gone = await rejected(UploadServiceStub(channel).GetUpload(GetUploadRequest(timestamp=upload.timestamp)))
    assert gone[:2] == ("NOT_FOUND", "UNKNOWN_UPLOAD")


async def test_a_generation_is_saved_listed_and_served(channel: grpc.aio.Channel) -> None:
    upload = await create(channel)
    record = await save(channel, upload)
    assert record.product_image_filename == upload.photo_path
    assert record.seed == 4_000_000_000
    assert record.manifest == MANIFEST
    assert await save(channel, upload) == record
    listed = await RecordServiceStub(channel).ListRecords(ListRecordsRequest())
    assert list(listed.records) == [record]
    assert listed.next_page_token == ""
    assert not (
        await UploadServiceStub(channel).DiscardUpload(DiscardUploadRequest(timestamp=upload.timestamp))
    ).discarded
    info, chunks = await read(channel, record.generated_images[0])
    assert b"".join(chunks) == JPEG
    assert info.content_type == "image/jpeg"
    assert info.size == len(JPEG)
    info_of_other, chunks = await read(channel, record.generated_images[1])
    assert (info_of_other.content_type, b"".join(chunks)) == ("image/webp", WEBP)
    again, nothing = await read(channel, record.generated_images[0], info.etag)
    assert again.not_modified
    assert nothing == []


async def test_a_request_that_comes_again_is_told_what_it_made(channel: grpc.aio.Channel) -> None:
    begin = BeginRequestRequest(request_id="generation-1", fingerprint="print")
    assert (await RecordServiceStub(channel).BeginRequest(begin)).WhichOneof("result") is None
    assert (await rejected(RecordServiceStub(channel).BeginRequest(begin)))[:2] == ("ABORTED", "IN_PROGRESS")
    await RecordServiceStub(channel).AbandonRequest(AbandonRequestRequest(request_id="generation-1"))
    assert (await RecordServiceStub(channel).BeginRequest(begin)).WhichOneof("result") is None
    renewed = BeginRequestRequest(request_id="renewed", fingerprint="print", renewed=True)
    assert (await RecordServiceStub(channel).BeginRequest(renewed)).renew_seconds == pytest.approx(10)
    await RecordServiceStub(channel).RenewRequest(RenewRequestRequest(request_id="renewed"))
    assert (await rejected(RecordServiceStub(channel).RenewRequest(RenewRequestRequest())))[1] == "BAD_REQUEST_ID"
    upload = await create(channel)
    record = await save(channel, upload)
    assert (await RecordServiceStub(channel).BeginRequest(begin)).record == record
    other = BeginRequestRequest(request_id="generation-1", fingerprint="other")
    assert (await rejected(RecordServiceStub(channel).BeginRequest(other)))[:2] == (
        "FAILED_PRECONDITION",
        "REQUEST_ID_REUSED",
    )
    assert (await rejected(RecordServiceStub(channel).AbandonRequest(AbandonRequestRequest())))[:2] == (
        "INVALID_ARGUMENT",
        "BAD_REQUEST_ID",
    )


async def test_all_records_are_streamed_as_one_list(channel: grpc.aio.Channel) -> None:

    async def streamed(etag: str = "") -> tuple[ListInfo, bytes]:
        parts = [
            part async for part in RecordServiceStub(channel).StreamRecords(StreamRecordsRequest(if_none_match=etag))
        ]
        return parts[0].info, b"".join(part.chunk for part in parts[1:])

    info, data = await streamed()
    assert (info, json.loads(data)) == (ListInfo(), [])
    upload = await create(channel)
    records = [await save(channel, upload, f"g{number}") for number in range(3)]
    info, data = await streamed()
    assert [ParseDict(one, Record()) for one in json.loads(data)] == records
    assert await streamed(info.etag) == (ListInfo(etag=info.etag, not_modified=True), b"")


async def test_a_request_id_is_for_one_upload(channel: grpc.aio.Channel) -> None:
    first, second = await create(channel), await create(channel, "upload-2")
    await save(channel, first)
    pictures = [Picture(name="300x250", file=JPEG)]
    request = SaveGenerationRequest(request_id="generation-1", timestamp=second.timestamp, pictures=pictures)
    answer = await rejected(RecordServiceStub(channel).SaveGeneration(request))
    assert answer[:2] == ("FAILED_PRECONDITION", "REQUEST_ID_REUSED")


async def test_pages(channel: grpc.aio.Channel) -> None:
    upload = await create(channel)
    for number in range(5):
        await save(channel, upload, f"g{number}")
    first = await RecordServiceStub(channel).ListRecords(ListRecordsRequest(page_size=3))
    second = await RecordServiceStub(channel).ListRecords(
        ListRecordsRequest(page_size=3, page_token=first.next_page_token)
    )
    assert [record.request_id for record in (*first.records, *second.records)] == [f"g{n}" for n in range(5)]
    assert second.next_page_token == ""
    newest = await RecordServiceStub(channel).ListRecords(ListRecordsRequest(page_size=2, order_by="sequence desc"))
    assert [record.request_id for record in newest.records] == ["g4", "g3"]
    one = await RecordServiceStub(channel).ListRecords(ListRecordsRequest(filter=RecordFilter(sequence=3)))
    assert [record.request_id for record in one.records] == ["g3"]
    none = await RecordServiceStub(channel).ListRecords(ListRecordsRequest(filter=RecordFilter(sequence=5)))
    assert not none.records


async def test_concurrent_saves_are_all_kept(channel: grpc.aio.Channel) -> None:
    upload = await create(channel)
    await asyncio.gather(*(save(channel, upload, f"g{number}") for number in range(12)))
    listed = await RecordServiceStub(channel).ListRecords(ListRecordsRequest(page_size=100))
    assert sorted(record.request_id for record in listed.records) == sorted(f"g{number}" for number in range(12))


async def test_every_refusal(channel: grpc.aio.Channel) -> None:
    upload = await create(channel)
    unknown = "20260101000000-0123456789abcdef"
    photo = PHOTO
    for create_request, code, reason in (
        (CreateUploadRequest(request_id="r", photo=b""), "INVALID_ARGUMENT", "EMPTY_IMAGE"),
        (CreateUploadRequest(request_id="r", photo=b"GIF89a"), "INVALID_ARGUMENT", "UNSUPPORTED_IMAGE"),
        (CreateUploadRequest(photo=photo), "INVALID_ARGUMENT", "BAD_REQUEST_ID"),
        (CreateUploadRequest(request_id="x" * 201, photo=photo), "INVALID_ARGUMENT", "BAD_REQUEST_ID"),
        (CreateUploadRequest(request_id="upload-1", photo=CUTOUT), "FAILED_PRECONDITION", "REQUEST_ID_REUSED"),
    ):
        assert (await rejected(UploadServiceStub(channel).CreateUpload(create_request)))[:2] == (code, reason)
    for put_request, code, reason in (
        (PutCutoutRequest(timestamp="../..", cutout=CUTOUT, engine="e"), "INVALID_ARGUMENT", "BAD_TIMESTAMP"),
        (PutCutoutRequest(timestamp=upload.timestamp, engine="e"), "INVALID_ARGUMENT", "MISSING_CUTOUT"),
        (PutCutoutRequest(timestamp=unknown, cutout=CUTOUT, engine="e"), "NOT_FOUND", "UNKNOWN_UPLOAD"),
    ):
        assert (await rejected(UploadServiceStub(channel).PutCutout(put_request)))[:2] == (code, reason)
    for timestamp, code, reason in (
        ("../../etc", "INVALID_ARGUMENT", "BAD_TIMESTAMP"),
        (unknown, "NOT_FOUND", "UNKNOWN_UPLOAD"),
        (upload.timestamp, "FAILED_PRECONDITION", "NO_CUTOUT"),
    ):
        assert (await rejected(UploadServiceStub(channel).GetUpload(GetUploadRequest(timestamp=timestamp))))[:2] == (
            code,
            reason,
        )
    assert (await rejected(UploadServiceStub(channel).DiscardUpload(DiscardUploadRequest(timestamp="x"))))[
        0
    ] == "INVALID_ARGUMENT"
    picture = Picture(name="a", file=JPEG)
    for save_request, code, reason in (
        (SaveGenerationRequest(timestamp=upload.timestamp, pictures=[picture]), "INVALID_ARGUMENT", "BAD_REQUEST_ID"),
        (SaveGenerationRequest(request_id="g", timestamp=unknown, pictures=[picture]), "NOT_FOUND", "UNKNOWN_UPLOAD"),
        (SaveGenerationRequest(request_id="g", timestamp=upload.timestamp), "INVALID_ARGUMENT", "PICTURE_COUNT"),
        (
            SaveGenerationRequest(
                request_id="g", timestamp=upload.timestamp, pictures=[Picture(name="a", file=b"%PDF-1.7")]
            ),
            "INVALID_ARGUMENT",
            "UNSUPPORTED_IMAGE",
        ),
    ):
        assert (await rejected(RecordServiceStub(channel).SaveGeneration(save_request)))[:2] == (code, reason)
    for list_request, reason in (
        (ListRecordsRequest(page_token="x"), "PAGE_TOKEN"),
        (ListRecordsRequest(page_size=1001), "PAGE_SIZE"),
        (ListRecordsRequest(order_by="write_date"), "ORDER_BY"),
        (ListRecordsRequest(filter=RecordFilter(text="x" * 201)), "FILTER_TEXT"),
    ):
        assert (await rejected(RecordServiceStub(channel).ListRecords(list_request)))[:2] == (
            "INVALID_ARGUMENT",
            reason,
        )


@pytest.mark.parametrize(
    "path", ["../history_setting.json", "history_setting.json", "20260101000000/upload/none.png", ""]
)
async def test_what_is_no_picture_is_not_found(channel: grpc.aio.Channel, path: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read(channel, path)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_large_picture_is_streamed(channel: grpc.aio.Channel) -> None:
    upload = await create(channel)
    large = PHOTO + os.urandom(3_000_000)
    request = PutCutoutRequest(timestamp=upload.timestamp, cutout=large, engine="e")
    stored = await UploadServiceStub(channel).PutCutout(request)
    _, chunks = await read(channel, stored.upload.cutout_path)
    assert b"".join(chunks) == large
    assert max(map(len, chunks)) <= 1 << 20


async def test_what_is_deleted_is_gone_and_its_number_stays(channel: grpc.aio.Channel) -> None:
    records, uploads = RecordServiceStub(channel), UploadServiceStub(channel)
    upload = await create(channel)
    made = [await save(channel, upload, f"g{number}") for number in range(3)]
    await records.DeleteRecord(DeleteRecordRequest(sequence=1))
    await records.DeleteRecord(DeleteRecordRequest(sequence=1))
    for path in made[1].generated_images:
        assert (await rejected(collected(channel, path)))[0] == "NOT_FOUND"
    left = await records.ListRecords(ListRecordsRequest())
    assert [record.sequence for record in left.records] == [0, 2]
    assert (await save(channel, upload, "g4")).sequence == 3
    assert (await rejected(records.DeleteRecord(DeleteRecordRequest(sequence=9))))[:2] == ("NOT_FOUND", "NOT_FOUND")
    await uploads.DeleteUpload(DeleteUploadRequest(timestamp=upload.timestamp))
    assert not (await records.ListRecords(ListRecordsRequest())).records
    for path in (upload.photo_path, *made[0].generated_images):
        assert (await rejected(collected(channel, path)))[0] == "NOT_FOUND"
    gone = await rejected(uploads.DeleteUpload(DeleteUploadRequest(timestamp=upload.timestamp)))
    assert gone[:2] == ("NOT_FOUND", "UNKNOWN_UPLOAD")


async def collected(channel: grpc.aio.Channel, path: str) -> Empty:
    await read(channel, path)
    return Empty()


async def test_a_download_is_admitted_once_and_then_ends_whole(tmp_path: Path) -> None:
    places, readers = 4, 12
    settings = HistorySettings(
        port=0, store="disk", disk_dir=tmp_path, max_downloads=places, download_workers=2, workers=1, queue_size=2
    )
    async with serving(settings, SERVICES, build) as opened:
        upload = await create(opened.channel)
        large = PHOTO + os.urandom(12_000_000)
        request = PutCutoutRequest(timestamp=upload.timestamp, cutout=large, engine="e")
        path = (await UploadServiceStub(opened.channel).PutCutout(request)).upload.cutout_path
        silent = [ObjectServiceStub(opened.channel).ReadObject(ReadObjectRequest(path=path)) for _ in range(places - 1)]
        waiting = [aiter(stream) for stream in silent]
        for stream in waiting:
            await anext(stream)
        answers = await asyncio.gather(*(read(opened.channel, path) for _ in range(readers)), return_exceptions=True)
        whole = [answer for answer in answers if not isinstance(answer, BaseException)]
        assert 1 <= len(whole) < readers
        for _, chunks in whole:
            assert b"".join(chunks) == large
        refused = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
        assert len(whole) + len(refused) == readers
        assert {error.code() for error in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert (await create(opened.channel, "another")).timestamp, "others have places of their own"
        for stream in waiting:
            rest = b"".join([part.chunk async for part in stream])
            assert rest == large, "those that were slow end whole as well"
        assert len(await read(opened.channel, path)) == 2


async def test_a_list_is_admitted_once_and_then_ends_whole(tmp_path: Path) -> None:
    shown = {"write_date": "20261125093000", "product_name": "x" * 30_000, "generated_images": []}
    for segment in range(4):
        numbers = range(segment * 100, segment * 100 + 100)
        file = tmp_path / f"ledger/{segment:08}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps([{"sequence": number, **shown} for number in numbers]), encoding="utf-8")
    settings = HistorySettings(port=0, store="disk", disk_dir=tmp_path, max_downloads=2, download_workers=2, workers=1)
    async with serving(settings, SERVICES, build) as opened:
        slow = aiter(RecordServiceStub(opened.channel).StreamRecords(StreamRecordsRequest()))
        await anext(slow)
        answers = await asyncio.gather(*(listed_whole(opened.channel) for _ in range(8)), return_exceptions=True)
        whole = [answer for answer in answers if isinstance(answer, bytes)]
        refused = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
        assert len(whole) + len(refused) == 8
        assert whole, "one place was left"
        assert {error.code() for error in refused} <= {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert all(len(json.loads(one)) == 400 for one in whole)
        assert (await create(opened.channel, "another")).timestamp, "others have places of their own"
        assert len(json.loads(b"".join([part.chunk async for part in slow]))) == 400, "slow readers end whole, too"


async def listed_whole(channel: grpc.aio.Channel) -> bytes:
    parts = RecordServiceStub(channel).StreamRecords(StreamRecordsRequest())
    return b"".join([part.chunk async for part in parts])


async def test_endless_contention_is_aborted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = HistorySettings(port=0, store="disk", disk_dir=tmp_path, append_attempts=2)
    create_object = DiskStore.create

    def contended(self: DiskStore, key: str, data: bytes, content_type: str) -> None:
        if key == RECORDS:
            raise ConflictError(key)
        create_object(self, key, data, content_type)

    monkeypatch.setattr(DiskStore, "create", contended)
    async with serving(settings, SERVICES, build) as opened:
        channel = opened.channel
        upload = await create(channel)
        assert (await rejected(save(channel, upload)))[:2] == ("ABORTED", "CONTENTION")
        listed = await RecordServiceStub(channel).ListRecords(ListRecordsRequest())
        assert not listed.records


def test_s3_without_a_bucket_is_refused_at_start() -> None:
    with pytest.raises(StartError, match="S3_BUCKET_NAME"):
        open_store(HistorySettings(store="s3", s3_bucket_name=""), EngineRegistry())
