"""Converts between messages and the domain, and runs the domain in the executor."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from google.protobuf.json_format import MessageToDict, ParseDict

from productimage.history.v1 import history_pb2, history_pb2_grpc
from services.history import keys
from services.history.claims import Claims
from services.history.generations import Picture, save_generation
from services.history.ledger import Ledger
from services.history.lines import Record as LedgerRecord
from services.history.objects.store import ObjectNotFoundError, ObjectStore, OpenObject
from services.history.settings import HistorySettings
from services.history.uploads import Upload, Uploads
from services.runtime.errors import NotFoundError, ServiceError
from services.runtime.executor import BoundedExecutor
from services.runtime.image import check

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

log = structlog.get_logger()

CHUNK = 1 << 20


class HistoryServicer(history_pb2_grpc.HistoryServiceServicer):
    """The service; see history.proto."""

    def __init__(self, store: ObjectStore, settings: HistorySettings, executor: BoundedExecutor) -> None:
        self._store = store
        self._limits = settings
        self._ledger = Ledger(store, settings.append_attempts)
        self._uploads = Uploads(store, self._ledger, settings.stale_after_seconds)
        self._claims = Claims(store, self._ledger, self._uploads, settings.lease_seconds)
        self._executor = executor
        self._clear_what_a_crash_left()

    def _clear_what_a_crash_left(self) -> None:
        try:
            self._claims.sweep(self._limits.claims_kept_seconds)
            self._uploads.sweep()
        except ServiceError as error:
            log.warning("could not clear what is stale; the next upload tries again", why=str(error))

    async def BeginRequest(  # noqa: N802
        self, request: history_pb2.BeginRequestRequest, _context: "Context"
    ) -> history_pb2.BeginRequestResponse:
        """See history.proto."""
        made = await self._executor.run(self._claims.begin, request.request_id, request.fingerprint)
        if isinstance(made, Upload):
            return history_pb2.BeginRequestResponse(upload=_upload_message(made))
        return history_pb2.BeginRequestResponse(record=None if made is None else _record_message(made))

    async def AbandonRequest(  # noqa: N802
        self, request: history_pb2.AbandonRequestRequest, _context: "Context"
    ) -> history_pb2.AbandonRequestResponse:
        """See history.proto."""
        await self._executor.run(self._claims.abandon, request.request_id)
        return history_pb2.AbandonRequestResponse()

    async def CreateUpload(  # noqa: N802
        self, request: history_pb2.CreateUploadRequest, _context: "Context"
    ) -> history_pb2.CreateUploadResponse:
        """See history.proto."""
        return await self._executor.run(self._create_upload, request)

    def _create_upload(self, request: history_pb2.CreateUploadRequest) -> history_pb2.CreateUploadResponse:
        picture_format = check(request.photo, self._limits)
        self._uploads.sweep()
        upload = self._uploads.create(request.request_id, request.filename, request.photo, picture_format)
        return history_pb2.CreateUploadResponse(upload=_upload_message(upload))

    async def PutCutout(  # noqa: N802
        self, request: history_pb2.PutCutoutRequest, _context: "Context"
    ) -> history_pb2.PutCutoutResponse:
        """See history.proto."""
        upload = await self._executor.run(
            self._uploads.put_cutout,
            request.timestamp,
            request.cutout,
            request.engine,
            MessageToDict(request.stage, preserving_proto_field_name=True),
            request.product_aspect_ratio,
        )
        return history_pb2.PutCutoutResponse(upload=_upload_message(upload))

    async def GetUpload(  # noqa: N802
        self, request: history_pb2.GetUploadRequest, _context: "Context"
    ) -> history_pb2.GetUploadResponse:
        """See history.proto."""
        return await self._executor.run(self._get_upload, request)

    def _get_upload(self, request: history_pb2.GetUploadRequest) -> history_pb2.GetUploadResponse:
        upload = self._uploads.get(request.timestamp)
        return history_pb2.GetUploadResponse(
            upload=_upload_message(upload),
            cutout=self._uploads.read_cutout(upload),
            cutout_engine=upload.cutout_engine,
            cutout_stage=ParseDict(upload.cutout_stage, history_pb2.Stage(), ignore_unknown_fields=True),
            product_aspect_ratio=upload.product_aspect_ratio,
        )

    async def DiscardUpload(  # noqa: N802
        self, request: history_pb2.DiscardUploadRequest, _context: "Context"
    ) -> history_pb2.DiscardUploadResponse:
        """See history.proto."""
        discarded = await self._executor.run(self._uploads.discard, request.timestamp)
        return history_pb2.DiscardUploadResponse(discarded=discarded)

    async def SaveGeneration(  # noqa: N802
        self, request: history_pb2.SaveGenerationRequest, _context: "Context"
    ) -> history_pb2.SaveGenerationResponse:
        """See history.proto."""
        return await self._executor.run(self._save_generation, request)

    def _save_generation(self, request: history_pb2.SaveGenerationRequest) -> history_pb2.SaveGenerationResponse:
        record = save_generation(
            request.request_id,
            request.timestamp,
            _record_fields(request.record),
            [Picture(one.name, one.file, check(one.file, self._limits)) for one in request.pictures],
            self._store,
            self._uploads,
            self._ledger,
        )
        return history_pb2.SaveGenerationResponse(record=_record_message(record))

    async def ListRecords(  # noqa: N802
        self, request: history_pb2.ListRecordsRequest, _context: "Context"
    ) -> history_pb2.ListRecordsResponse:
        """See history.proto."""
        page = await self._executor.run(self._ledger.page, request.page_size, request.page_token)
        return history_pb2.ListRecordsResponse(
            records=[_record_message(record) for record in page.records], next_page_token=page.next_token
        )

    async def SearchRecords(  # noqa: N802
        self, request: history_pb2.SearchRecordsRequest, _context: "Context"
    ) -> history_pb2.SearchRecordsResponse:
        """See history.proto."""
        page = await self._executor.run(self._ledger.search, request.query, request.page_size, request.page_token)
        return history_pb2.SearchRecordsResponse(
            records=[_record_message(record) for record in page.records], next_page_token=page.next_token
        )

    async def GetRecord(  # noqa: N802
        self, request: history_pb2.GetRecordRequest, _context: "Context"
    ) -> history_pb2.GetRecordResponse:
        """See history.proto."""
        record = await self._executor.run(self._ledger.get, request.sequence)
        return history_pb2.GetRecordResponse(record=_record_message(record))

    async def StreamRecords(  # noqa: N802
        self, request: history_pb2.StreamRecordsRequest, _context: "Context"
    ) -> AsyncIterator[history_pb2.StreamRecordsResponse]:
        """See history.proto."""
        found = await self._executor.run(self._ledger.snapshot)
        unchanged = bool(found.etag) and found.etag == request.if_none_match
        yield history_pb2.StreamRecordsResponse(info=history_pb2.ListInfo(etag=found.etag, not_modified=unchanged))
        while not unchanged and (chunk := await self._executor.run(next, found.chunks, b"")):
            for start in range(0, len(chunk), CHUNK):
                yield history_pb2.StreamRecordsResponse(chunk=chunk[start : start + CHUNK])

    async def ReadObject(  # noqa: N802
        self, request: history_pb2.ReadObjectRequest, _context: "Context"
    ) -> AsyncIterator[history_pb2.ReadObjectResponse]:
        """See history.proto."""
        key = keys.static_key(request.path)
        opening = self._store.open(key)
        found = await self._executor.run(_enter, opening)
        try:
            unchanged = found.etag == request.if_none_match
            info = history_pb2.ObjectInfo(
                etag=found.etag, content_type=keys.content_type(key), size=found.size, not_modified=unchanged
            )
            yield history_pb2.ReadObjectResponse(info=info)
            while not unchanged and (chunk := await self._executor.run(next, found.chunks, b"")):
                yield history_pb2.ReadObjectResponse(chunk=chunk)
        finally:
            opening.__exit__(None, None, None)

    async def SignObject(  # noqa: N802
        self, request: history_pb2.SignObjectRequest, _context: "Context"
    ) -> history_pb2.SignObjectResponse:
        """See history.proto."""
        key, seconds = keys.static_key(request.path), self._limits.signed_seconds
        try:
            url = await self._executor.run(self._store.sign, key, seconds)
        except ObjectNotFoundError:
            raise _no_picture() from None
        return history_pb2.SignObjectResponse(url=url or "", valid_seconds=seconds if url else 0)


def _enter(opening: AbstractContextManager[OpenObject]) -> OpenObject:
    try:
        return opening.__enter__()
    except ObjectNotFoundError:
        raise _no_picture() from None


def _no_picture() -> NotFoundError:
    return NotFoundError("There is no picture at this address.")


def _upload_message(upload: Upload) -> history_pb2.Upload:
    return history_pb2.Upload(timestamp=upload.timestamp, photo_path=upload.photo_path, cutout_path=upload.cutout_path)


def _record_fields(record: history_pb2.Record) -> LedgerRecord:
    return {
        "product_name": record.product_name,
        "product_describe": record.product_describe,
        "target_audience": record.target_audience,
        "short_ad": record.short_ad,
        "long_ad": record.long_ad,
        "engines": dict(record.engines),
        "seed": record.seed,
        "prompts": list(record.prompts),
        "notes": list(record.notes),
        "manifest": MessageToDict(
            record.manifest, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        ),
    }


def _record_message(record: LedgerRecord) -> history_pb2.Record:
    """Make a message of a stored record, which may be the original backend's or a later version's."""
    return ParseDict(record, history_pb2.Record(), ignore_unknown_fields=True)
