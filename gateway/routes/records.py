"""The history, to be looked through: newest first, searched, a page at a time, and one record as a file."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from gateway.dependencies import Gateway, GatewayDependency
from gateway.errors import calling
from gateway.models import ErrorBody, RecordBody, RecordPage
from gateway.pipelines.archive import archive
from productimage.history.v1 import history_pb2

router = APIRouter(prefix="/api/records", tags=["product"])

Sequence = Annotated[int, Path(ge=0, lt=2**32, description="`sequence` of a record.")]
ERRORS: dict[int | str, dict[str, Any]] = {status: {"model": ErrorBody} for status in (400, 404, 422, 429, 503, 504)}
ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": {}}}}


@router.get("", responses=ERRORS, response_model_exclude_none=True)
async def search(
    gateway: GatewayDependency,
    query: Annotated[str, Query(max_length=200, description="What names or texts hold, in any case; empty: any.")] = "",
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    page_token: Annotated[str, Query(max_length=20, description="`next_page_token` of the page before.")] = "",
) -> RecordPage:
    """Look for records, newest first. A page may be short, even empty, while it has a `next_page_token`."""
    async with calling("history"):
        found = await gateway.services.history.SearchRecords(
            history_pb2.SearchRecordsRequest(query=query, page_size=page_size, page_token=page_token),
            timeout=gateway.settings.history_deadline_seconds,
        )
    records = [RecordBody.of(record) for record in found.records]
    return RecordPage(records=records, next_page_token=found.next_page_token)


@router.get("/{sequence}", responses=ERRORS, response_model_exclude_none=True)
async def record(sequence: Sequence, gateway: GatewayDependency) -> RecordBody:
    """Give one record."""
    return await _record(sequence, gateway)


@router.get(
    "/{sequence}/archive",
    response_class=Response,
    responses=ZIP | ERRORS,
)
async def record_archive(sequence: Sequence, gateway: GatewayDependency) -> Response:
    """Give a record as a zip file: the ads, both texts, and the record itself with its manifest."""
    found = await _record(sequence, gateway)
    packed = await archive(found, gateway.services, gateway.settings, gateway.executor)
    name = f'attachment; filename="ads-{found.write_date}-{sequence}.zip"'
    return Response(packed, media_type="application/zip", headers={"Content-Disposition": name})


async def _record(sequence: int, gateway: Gateway) -> RecordBody:
    async with calling("history"):
        found = await gateway.services.history.GetRecord(
            history_pb2.GetRecordRequest(sequence=sequence), timeout=gateway.settings.history_deadline_seconds
        )
    return RecordBody.of(found.record)
