"""The history: the whole list, searched and paged, one record, and one record as a file."""

import time
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from gateway.ad_sizes import SETS
from gateway.errors import calling
from gateway.models import ErrorBody, RecordBody, RecordPage, ReplayBody, ReplayedBody
from gateway.pipelines.archive import archive
from gateway.pipelines.replay import replay
from gateway.pipelines.run import Run
from gateway.routes.choices import choice
from gateway.routes.conditional import is_current, only_tag, require_match
from gateway.routes.jobs import unless_disconnected
from gateway.routes.router import Router
from gateway.routes.streaming import closed_if_refused, first_of, streamed
from gateway.state import Gateway, GatewayDependency
from productimage.context import set_deadline

router = Router(prefix="/api", tags=["product"])

Day = Annotated[
    str,
    Query(max_length=8, description="A day, YYYYMMDD; empty: any.", json_schema_extra={"pattern": r"^(\d{8})?$"}),
]
Sequence = Annotated[int, Path(ge=0, lt=2**32, description="`sequence` of a record.")]
ERRORS: dict[int | str, dict[str, Any]] = {status: {"model": ErrorBody} for status in (400, 404, 422, 429, 503, 504)}
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get(
    "/history",
    response_model=list[RecordBody],
    responses={
        304: {"description": "The caller's copy is current."},
        **{status: {"model": ErrorBody} for status in (422, 429, 503, 504)},
    },
)
async def history(request: Request, gateway: GatewayDependency) -> Response:
    """List every record, oldest first, as stored; empty if there is none."""
    parts = gateway.clients.records.stream_records(only_tag(request))
    info = (await first_of(parts, gateway.settings)).info
    headers = {"Cache-Control": "private, no-cache"} | ({"ETag": f'"{info.etag}"'} if info.etag else {})
    async with closed_if_refused(parts):
        require_match(request, info.etag)
    if info.not_modified or (info.etag and is_current(request, info.etag)):
        await parts.aclose()
        return Response(status_code=304, headers=headers)
    return streamed(parts, headers, "application/json")


@router.get("/records", responses=ERRORS, response_model_exclude_none=True)
async def search(
    gateway: GatewayDependency,
    query: Annotated[
        str, Query(max_length=200, description="Case-insensitive text in names or copy; empty matches every record.")
    ] = "",
    audience: Annotated[str, Query(max_length=200, description="Case-insensitive text in the audience.")] = "",
    brand: Annotated[str, Query(max_length=40, description="Name of the brand.")] = "",
    since: Day = "",
    until: Day = "",
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    page_token: Annotated[
        str,
        Query(
            max_length=15,
            description="`next_page_token` of the previous page.",
            json_schema_extra={"pattern": r"^\d*$"},
        ),
    ] = "",
) -> RecordPage:
    """Search the records, newest first. A page may be short, even empty, and still have a `next_page_token`."""
    async with calling("history"):
        page = await gateway.clients.records.list_records(
            query,
            audience=audience,
            brand=brand,
            since=since,
            until=until,
            order_by="sequence desc",
            page_size=page_size,
            page_token=page_token,
        )
    records = [RecordBody.of(record) for record in page.records]
    return RecordPage(records=records, next_page_token=page.next_page_token)


@router.get("/records/{sequence}", responses=ERRORS, response_model_exclude_none=True)
async def record(sequence: Sequence, gateway: GatewayDependency) -> RecordBody:
    """Return one record."""
    return await _record(sequence, gateway)


@router.get("/records/{sequence}/archive", response_class=Response, responses=ZIP | ERRORS)
async def record_archive(
    sequence: Sequence,
    gateway: GatewayDependency,
    platform: Annotated[
        str,
        Query(
            max_length=20,
            description="The ads and texts of this platform alone.",
            json_schema_extra={"pattern": f"^({'|'.join(SETS)})?$"},
        ),
    ] = "",
) -> Response:
    """Return a record as a zip file: the ads, the copy, and the record with its manifest."""
    wanted = choice("platform", platform, SETS)
    found = await _record(sequence, gateway)
    packed = await archive(found, gateway.clients.objects, gateway.executor, wanted)
    name = f'attachment; filename="ads-{found.write_date}-{sequence}.zip"'
    return Response(packed, media_type="application/zip", headers={"Content-Disposition": name})


@router.post(
    "/records/{sequence}/replay",
    response_model=ReplayBody,
    responses=ERRORS | {409: {"model": ErrorBody}, 413: {"model": ErrorBody}},
)
async def replay_record(sequence: Sequence, request: Request, gateway: GatewayDependency) -> Response:
    """Make a record again and compare it with what is stored: what it says of its making is true if that is the same.

    Nothing is stored, and nothing is asked of a model in a cloud.
    """
    return await unless_disconnected(request, _replayed(sequence, gateway))


async def _replayed(sequence: int, gateway: Gateway) -> ReplayBody:
    set_deadline(time.monotonic() + gateway.settings.request_deadline_seconds)
    async with calling("history"):
        record = await gateway.clients.records.get_record(sequence)
    run = Run(gateway.clients, gateway.settings, gateway.executor, record.request_id)
    stages = [ReplayedBody(**vars(stage)) for stage in await replay(run, record, gateway.audiences)]
    return ReplayBody(same=all(stage.state != "differs" for stage in stages), stages=stages)


@router.delete("/records/{sequence}", status_code=204, response_class=Response, responses=ERRORS)
async def delete_record(sequence: Sequence, gateway: GatewayDependency) -> Response:
    """Delete a record and its ads. Its number stays taken; deleting it again changes nothing."""
    async with calling("history"):
        found = await gateway.clients.records.list_records(sequence=sequence)
        await gateway.clients.records.delete_record(sequence)
    for record in found.records:
        kept = [path for one in record.backgrounds for path in (one.path, one.removal.path) if path]
        for path in (*record.generated_images, *kept):
            gateway.pictures.forget(path)
    return Response(status_code=204)


async def _record(sequence: int, gateway: Gateway) -> RecordBody:
    async with calling("history"):
        return RecordBody.of(await gateway.clients.records.get_record(sequence))
