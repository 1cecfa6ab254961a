"""Servicers of the history: each delegates to the domain, in the executor."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc

from common.errors import NotFoundError
from common.imaging.header import check_header
from common.serving.executor import BoundedExecutor
from productimage.brand.v1 import brand_pb2, brand_pb2_grpc
from productimage.object.v1 import object_pb2, object_pb2_grpc
from productimage.record.v1 import record_pb2, record_pb2_grpc
from productimage.upload.v1 import upload_pb2, upload_pb2_grpc
from services.history import converters, paths
from services.history.downloads import Downloads
from services.history.history import History
from services.history.records.queries import Snapshot
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectNotFoundError, ObjectStore, OpenObject

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

CHUNK = 1 << 18
"""Bytes of a message of a stream."""


class UploadServicer(upload_pb2_grpc.UploadServiceServicer):
    """See upload.proto."""

    def __init__(self, history: History, settings: HistorySettings, executor: BoundedExecutor) -> None:
        self._uploads = history.uploads
        self._deletion = history.deletion
        self._limits = settings
        self._executor = executor

    async def CreateUpload(  # noqa: N802
        self, request: upload_pb2.CreateUploadRequest, _context: "Context"
    ) -> upload_pb2.CreateUploadResponse:
        """See upload.proto."""
        return await self._executor.run(self._create_upload, request)

    def _create_upload(self, request: upload_pb2.CreateUploadRequest) -> upload_pb2.CreateUploadResponse:
        picture_format = check_header(request.photo, self._limits)
        upload = self._uploads.create(request.request_id, request.filename, request.photo, picture_format)
        return upload_pb2.CreateUploadResponse(upload=converters.upload_message(upload))

    async def PutCutout(  # noqa: N802
        self, request: upload_pb2.PutCutoutRequest, _context: "Context"
    ) -> upload_pb2.PutCutoutResponse:
        """See upload.proto."""
        cutout = converters.cutout(request)
        upload = await self._executor.run(self._uploads.put_cutout, request.timestamp, cutout)
        return upload_pb2.PutCutoutResponse(upload=converters.upload_message(upload))

    async def RevertCutout(  # noqa: N802
        self, request: upload_pb2.RevertCutoutRequest, _context: "Context"
    ) -> upload_pb2.RevertCutoutResponse:
        """See upload.proto."""
        return await self._executor.run(self._revert_cutout, request)

    def _revert_cutout(self, request: upload_pb2.RevertCutoutRequest) -> upload_pb2.RevertCutoutResponse:
        upload = self._uploads.revert_cutout(request.timestamp, request.cutout_path, to_later=request.to_later)
        return upload_pb2.RevertCutoutResponse(upload=converters.upload_message(upload))

    async def GetUpload(  # noqa: N802
        self, request: upload_pb2.GetUploadRequest, _context: "Context"
    ) -> upload_pb2.GetUploadResponse:
        """See upload.proto."""
        return await self._executor.run(self._get_upload, request)

    def _get_upload(self, request: upload_pb2.GetUploadRequest) -> upload_pb2.GetUploadResponse:
        upload = self._uploads.get(request.timestamp)
        is_bare = request.without_cutout and not upload.cutout_engine
        return converters.get_upload_response(upload, b"" if is_bare else self._uploads.read_cutout(upload))

    async def DiscardUpload(  # noqa: N802
        self, request: upload_pb2.DiscardUploadRequest, _context: "Context"
    ) -> upload_pb2.DiscardUploadResponse:
        """See upload.proto."""
        discarded = await self._executor.run(self._uploads.discard, request.timestamp)
        return upload_pb2.DiscardUploadResponse(discarded=discarded)

    async def DeleteUpload(  # noqa: N802
        self, request: upload_pb2.DeleteUploadRequest, _context: "Context"
    ) -> upload_pb2.DeleteUploadResponse:
        """See upload.proto."""
        await self._executor.run(self._deletion.delete_upload, request.timestamp)
        return upload_pb2.DeleteUploadResponse()


class RecordServicer(record_pb2_grpc.RecordServiceServicer):
    """See record.proto."""

    def __init__(
        self, history: History, settings: HistorySettings, executor: BoundedExecutor, downloads: Downloads
    ) -> None:
        self._history = history
        self._limits = settings
        self._executor = executor
        self._downloads = downloads

    async def BeginRequest(  # noqa: N802
        self, request: record_pb2.BeginRequestRequest, _context: "Context"
    ) -> record_pb2.BeginRequestResponse:
        """See record.proto."""
        claims = self._history.idempotency
        begin = partial(claims.begin, renewed=request.renewed)
        result = await self._executor.run(begin, request.request_id, request.fingerprint)
        return converters.begin_response(result, claims.renew_seconds if request.renewed else 0)

    async def RenewRequest(  # noqa: N802
        self, request: record_pb2.RenewRequestRequest, _context: "Context"
    ) -> record_pb2.RenewRequestResponse:
        """See record.proto."""
        await self._executor.run(self._history.idempotency.renew, request.request_id)
        return record_pb2.RenewRequestResponse()

    async def AbandonRequest(  # noqa: N802
        self, request: record_pb2.AbandonRequestRequest, _context: "Context"
    ) -> record_pb2.AbandonRequestResponse:
        """See record.proto."""
        await self._executor.run(self._history.idempotency.abandon, request.request_id)
        return record_pb2.AbandonRequestResponse()

    async def SaveGeneration(  # noqa: N802
        self, request: record_pb2.SaveGenerationRequest, _context: "Context"
    ) -> record_pb2.SaveGenerationResponse:
        """See record.proto."""
        return await self._executor.run(self._save_generation, request)

    def _save_generation(self, request: record_pb2.SaveGenerationRequest) -> record_pb2.SaveGenerationResponse:
        record = self._history.generations.save(converters.generation(request, self._limits))
        return record_pb2.SaveGenerationResponse(record=converters.record_message(record))

    async def ListRecords(  # noqa: N802
        self, request: record_pb2.ListRecordsRequest, _context: "Context"
    ) -> record_pb2.ListRecordsResponse:
        """See record.proto."""
        page = await self._executor.run(self._history.queries.list_records, converters.record_query(request))
        return converters.page_response(page)

    async def StreamRecords(  # noqa: N802
        self, request: record_pb2.StreamRecordsRequest, _context: "Context"
    ) -> AsyncIterator[record_pb2.StreamRecordsResponse]:
        """See record.proto."""
        async with self._downloads.open(self._snapshot()) as found:
            unchanged = bool(found.etag) and found.etag == request.if_none_match
            yield record_pb2.StreamRecordsResponse(info=record_pb2.ListInfo(etag=found.etag, not_modified=unchanged))
            if not unchanged:
                async for chunk in self._downloads.chunks(found.chunks):
                    for start in range(0, len(chunk), CHUNK):
                        yield record_pb2.StreamRecordsResponse(chunk=chunk[start : start + CHUNK])

    @contextmanager
    def _snapshot(self) -> Iterator[Snapshot]:
        yield self._history.queries.snapshot()

    async def DeleteRecord(  # noqa: N802
        self, request: record_pb2.DeleteRecordRequest, _context: "Context"
    ) -> record_pb2.DeleteRecordResponse:
        """See record.proto."""
        await self._executor.run(self._history.deletion.delete_record, request.sequence)
        return record_pb2.DeleteRecordResponse()


class BrandServicer(brand_pb2_grpc.BrandServiceServicer):
    """See brand.proto."""

    def __init__(self, history: History, executor: BoundedExecutor) -> None:
        self._brands = history.brands
        self._executor = executor

    async def PutBrand(  # noqa: N802
        self, request: brand_pb2.PutBrandRequest, _context: "Context"
    ) -> brand_pb2.PutBrandResponse:
        """See brand.proto."""
        await self._executor.run(self._brands.put, converters.brand(request.brand))
        return brand_pb2.PutBrandResponse(brand=request.brand)

    async def GetBrand(  # noqa: N802
        self, request: brand_pb2.GetBrandRequest, _context: "Context"
    ) -> brand_pb2.GetBrandResponse:
        """See brand.proto."""
        found = await self._executor.run(self._brands.get, request.name)
        return brand_pb2.GetBrandResponse(brand=converters.brand_message(found))

    async def ListBrands(  # noqa: N802
        self, _request: brand_pb2.ListBrandsRequest, _context: "Context"
    ) -> brand_pb2.ListBrandsResponse:
        """See brand.proto."""
        return brand_pb2.ListBrandsResponse(names=await self._executor.run(self._brands.names))

    async def DeleteBrand(  # noqa: N802
        self, request: brand_pb2.DeleteBrandRequest, _context: "Context"
    ) -> brand_pb2.DeleteBrandResponse:
        """See brand.proto."""
        await self._executor.run(self._brands.delete, request.name)
        return brand_pb2.DeleteBrandResponse()


class ObjectServicer(object_pb2_grpc.ObjectServiceServicer):
    """See object.proto."""

    def __init__(
        self, history: History, settings: HistorySettings, executor: BoundedExecutor, downloads: Downloads
    ) -> None:
        self._store = history.store
        self._signed_seconds = settings.signed_seconds
        self._executor = executor
        self._downloads = downloads

    async def ReadObject(  # noqa: N802
        self, request: object_pb2.ReadObjectRequest, _context: "Context"
    ) -> AsyncIterator[object_pb2.ReadObjectResponse]:
        """See object.proto."""
        key = paths.static_key(request.path)
        async with self._downloads.open(_opening(self._store, key)) as found:
            unchanged = found.etag == request.if_none_match
            info = object_pb2.ObjectInfo(
                etag=found.etag, content_type=paths.content_type(key), size=found.size, not_modified=unchanged
            )
            yield object_pb2.ReadObjectResponse(info=info)
            if not unchanged:
                async for chunk in self._downloads.chunks(found.chunks):
                    yield object_pb2.ReadObjectResponse(chunk=chunk)

    async def SignObject(  # noqa: N802
        self, request: object_pb2.SignObjectRequest, _context: "Context"
    ) -> object_pb2.SignObjectResponse:
        """See object.proto."""
        key, seconds = paths.static_key(request.path), self._signed_seconds
        try:
            url = await self._executor.run(self._store.sign, key, seconds)
        except ObjectNotFoundError:
            raise _no_picture() from None
        return object_pb2.SignObjectResponse(url=url or "", valid_seconds=seconds if url else 0)


@contextmanager
def _opening(store: ObjectStore, key: str) -> Iterator[OpenObject]:
    try:
        with store.open(key) as found:
            yield found
    except ObjectNotFoundError:
        raise _no_picture() from None


def _no_picture() -> NotFoundError:
    return NotFoundError("There is no picture at this address.")
