"""Client of the record service, served by the history process."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from productimage.connection import Connection
from productimage.errors import ResourceNotFoundError
from productimage.record.v1 import record_pb2
from productimage.record.v1.record_pb2_grpc import RecordServiceStub
from productimage.upload.v1 import upload_pb2

if TYPE_CHECKING:  # exists for type checkers only
    from productimage.record.v1.record_pb2_grpc import RecordServiceAsyncStub


@dataclass(frozen=True)
class RecordDeadlines:
    """Deadlines in seconds: of one call, and of a whole stream."""

    call: float = 30
    stream: float = 600


@dataclass(frozen=True)
class BegunRequest:
    """A request that its caller may repeat.

    Attributes:
        result: The earlier result. None: the caller does the work.
        renew_seconds: Time between two renewals of the claim, in seconds; 0: it need not be renewed.
    """

    result: record_pb2.Record | upload_pb2.Upload | None
    renew_seconds: float = 0


class RecordClient:
    """Stores generations and lists their records.

    Args:
        connection: Connection to the history process.
        deadlines: Deadlines of calls and streams.
    """

    def __init__(self, connection: Connection, deadlines: RecordDeadlines | None = None) -> None:
        self._connection = connection
        self._stub: RecordServiceAsyncStub = RecordServiceStub(connection.channel)
        self._deadlines = deadlines or RecordDeadlines()

    async def begin_request(self, request_id: str, fingerprint: str, *, renewed: bool = False) -> BegunRequest:
        """Claim a request that its caller may repeat.

        Args:
            request_id: Idempotency key, 1 to 200 characters.
            fingerprint: Digest of the whole request.
            renewed: Whether the caller calls `renew_request` while it works.

        Returns:
            The earlier result, or a claim.

        Raises:
            RequestIdReusedError: The request_id was used with another fingerprint.
            InProgressError: The request is being worked on.
            ProductImageError: The call failed otherwise.
        """
        request = record_pb2.BeginRequestRequest(request_id=request_id, fingerprint=fingerprint, renewed=renewed)
        response = await self._connection.unary(self._stub.BeginRequest, request, self._deadlines.call)
        match response.WhichOneof("result"):
            case "record":
                return BegunRequest(response.record)
            case "upload":
                return BegunRequest(response.upload)
            case _:
                return BegunRequest(None, response.renew_seconds)

    async def renew_request(self, request_id: str) -> None:
        """Renew the claim of a request.

        Raises:
            ProductImageError: The call failed.
        """
        request = record_pb2.RenewRequestRequest(request_id=request_id)
        await self._connection.unary(self._stub.RenewRequest, request, self._deadlines.call)

    async def abandon_request(self, request_id: str) -> None:
        """Release a claimed request at once.

        Raises:
            ProductImageError: The call failed.
        """
        request = record_pb2.AbandonRequestRequest(request_id=request_id)
        await self._connection.unary(self._stub.AbandonRequest, request, self._deadlines.call)

    async def save_generation(
        self,
        request_id: str,
        timestamp: str,
        record: record_pb2.Record,
        pictures: Sequence[record_pb2.Picture],
        backgrounds: Sequence[record_pb2.Picture] = (),
        removals: Sequence[record_pb2.Picture] = (),
    ) -> record_pb2.Record:
        """Store the pictures of a generation, then its record.

        Args:
            request_id: Idempotency key, 1 to 200 characters.
            timestamp: Timestamp of the upload.
            record: The record, without the fields that the service sets.
            pictures: Pictures in the order in which the record lists them.
            backgrounds: Pictures of the backgrounds that the record lists, in its order.
            removals: Pictures from which something was removed, one for each removal that the record lists.

        Returns:
            The complete record.

        Raises:
            UnknownUploadError: There is no such upload.
            ContentionError: Too many writers competed; nothing was recorded.
            ProductImageError: The call failed otherwise.
        """
        request = record_pb2.SaveGenerationRequest(
            request_id=request_id,
            timestamp=timestamp,
            record=record,
            pictures=pictures,
            backgrounds=backgrounds,
            removals=removals,
        )
        response = await self._connection.unary(self._stub.SaveGeneration, request, self._deadlines.call)
        return response.record

    async def list_records(
        self,
        text: str = "",
        *,
        sequence: int | None = None,
        audience: str = "",
        brand: str = "",
        since: str = "",
        until: str = "",
        order_by: str = "",
        page_size: int = 0,
        page_token: str = "",
    ) -> record_pb2.ListRecordsResponse:
        """List records a page at a time; a short page may still have a next one.

        Args:
            text: Case-insensitive text to look for; empty matches every record.
            sequence: Number of the record; None matches every record.
            audience: Case-insensitive text in the audience; empty matches every record.
            brand: Name of the brand; empty matches every record.
            since: First day, YYYYMMDD; empty: any.
            until: Last day, YYYYMMDD; empty: any.
            order_by: "sequence" (the default) or "sequence desc".
            page_size: Maximum number of records, 1 to 1000; 0 means 100.
            page_token: Token returned with the previous page.

        Raises:
            InvalidArgumentError: An argument is out of range.
            ProductImageError: The call failed otherwise.
        """
        request = record_pb2.ListRecordsRequest(
            filter=record_pb2.RecordFilter(
                text=text, sequence=sequence, audience=audience, brand=brand, since=since, until=until
            ),
            order_by=order_by,
            page_size=page_size,
            page_token=page_token,
        )
        return await self._connection.unary(self._stub.ListRecords, request, self._deadlines.call)

    async def get_record(self, sequence: int) -> record_pb2.Record:
        """Return one record by its number in the history.

        Raises:
            ResourceNotFoundError: There is no such record.
            ProductImageError: The call failed otherwise.
        """
        response = await self.list_records(sequence=sequence)
        if not response.records:
            raise ResourceNotFoundError("There is no record with this number.")
        return response.records[0]

    async def delete_record(self, sequence: int) -> None:
        """Delete a record and its creatives; deleting it again changes nothing.

        Raises:
            ResourceNotFoundError: There has never been such a record.
            ContentionError: Too many writers competed; the record is still there.
            ProductImageError: The call failed otherwise.
        """
        request = record_pb2.DeleteRecordRequest(sequence=sequence)
        await self._connection.unary(self._stub.DeleteRecord, request, self._deadlines.call)

    def stream_records(self, if_none_match: str = "") -> AsyncGenerator[record_pb2.StreamRecordsResponse, None]:
        """Stream the whole list as stored: its ListInfo first, then chunks of one JSON array.

        Args:
            if_none_match: Entity tag of the copy the caller has. If it is current, no chunk follows.

        Raises:
            ProductImageError: The call failed, at once or in the middle of the stream.
        """
        request = record_pb2.StreamRecordsRequest(if_none_match=if_none_match)
        return self._connection.stream(self._stub.StreamRecords, request, self._deadlines.stream)
