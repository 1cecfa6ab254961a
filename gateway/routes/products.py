"""The ads, and the list of all that were made."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints
from pydantic.json_schema import SkipJsonSchema

from gateway.dependencies import GatewayDependency, IdempotencyKey
from gateway.models import ErrorBody, RecordBody, SizesBody
from gateway.pipelines.brief import Brief
from gateway.pipelines.generate import generate
from gateway.pipelines.journal import Journal
from gateway.pipelines.once import claimed, fingerprint
from gateway.routes.progress import EVENTS, run_pipeline
from gateway.routes.streaming import chunks_of, first_of, known_etag
from gateway.sizes import DEFAULT, OFFERED, PATTERN, chosen_sizes
from productimage.generation.v1 import generation_pb2
from productimage.history.v1 import history_pb2
from services.runtime.image import check

router = APIRouter(prefix="/api", tags=["product"])

# For the description of the API: what does not match is refused further on, in words that help more.
TIMESTAMP = r"^\d{14}(-[0-9a-f]{16})?$"
LOCALE = "^(zh-TW|en)?$"


@router.post(
    "/generate-product",
    response_model=RecordBody,
    responses=EVENTS | {status: {"model": ErrorBody} for status in (400, 404, 408, 409, 413, 422, 429, 503, 504)},
)
async def generate_product(
    request: Request,
    gateway: GatewayDependency,
    product_name: Annotated[
        str,
        StringConstraints(strip_whitespace=True),
        Form(min_length=1, max_length=100, examples=["保溫瓶"], json_schema_extra={"pattern": r"\S"}),
    ],
    target_audience: Annotated[
        str, Form(min_length=1, max_length=200, description="gender,age,interest", examples=["男性,25-34,戶外旅遊"])
    ],
    product_image_filename: Annotated[
        str, Form(min_length=1, max_length=300, description="`filename` of the upload's answer.")
    ],
    timestamp: Annotated[
        str,
        Form(
            min_length=1,
            max_length=100,
            description="`timestamp` of the upload's answer.",
            json_schema_extra={"pattern": TIMESTAMP},
        ),
    ],
    product_describe: Annotated[str, Form(max_length=5000, examples=["24小時保冷，不鏽鋼瓶身"])] = "",
    locale: Annotated[
        str,
        Form(
            max_length=20,
            description="Of the words: zh-TW or en.",
            examples=["zh-TW"],
            json_schema_extra={"pattern": LOCALE},
        ),
    ] = "",
    sizes: Annotated[
        str,
        Form(
            max_length=200,
            description=f"Of the ads, with commas between them: {', '.join(OFFERED)}. Empty: {', '.join(DEFAULT)}.",
            examples=["300x250,728x90"],
            json_schema_extra={"pattern": PATTERN},
        ),
    ] = "",
    background_image: Annotated[
        UploadFile | SkipJsonSchema[None],
        File(description="A picture of your own as the background: a PNG, JPEG or WebP file."),
    ] = None,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Make ads and both texts of an uploaded photo: three sizes by default. The same again makes new ones.

    With `Accept: text/event-stream`, `progress` events tell of the stages, then a `result` or an `error` follows.
    """
    own_background = await background_image.read() if background_image else b""
    if background_image:
        await gateway.executor.run(check, own_background, gateway.settings)
    brief = Brief(
        timestamp=timestamp,
        product_image_filename=product_image_filename,
        product=generation_pb2.Product(name=product_name, description=product_describe),
        audience=gateway.audiences.understand(target_audience),
        target_audience=target_audience,
        locale=locale,
        sizes=chosen_sizes(sizes),
        own_background=own_background,
    )
    asked = (
        "generate",
        *(timestamp, product_image_filename, product_name, product_describe, target_audience, locale, sizes),
        own_background,
    )

    async def pipeline(journal: Journal) -> RecordBody:
        services, settings = gateway.services, gateway.settings
        async with claimed(idempotency_key, fingerprint(*asked), services, settings) as claim:
            record = claim.record
            if record is None:
                record = await generate(brief, services, settings, journal, claim.request_id)
        return RecordBody.of(record)

    return await run_pipeline(request, pipeline, gateway.settings)


@router.get("/sizes")
async def sizes() -> SizesBody:
    """Give the sizes of ads that are offered, and those that are made when none is chosen."""
    return SizesBody(offered=list(OFFERED), default=list(DEFAULT))


@router.get(
    "/history",
    response_model=list[RecordBody],
    responses={
        304: {"description": "The caller's copy is current."},
        **{status: {"model": ErrorBody} for status in (422, 503, 504)},
    },
)
async def history(request: Request, gateway: GatewayDependency) -> Response:
    """List everything that was made, oldest first; empty when there is nothing. The records come as they are stored."""
    stream = gateway.services.history.StreamRecords(
        history_pb2.StreamRecordsRequest(if_none_match=known_etag(request)),
        timeout=gateway.settings.download_deadline_seconds,
    )
    parts = aiter(stream)
    info = (await first_of(parts, gateway.settings)).info
    headers = {"Cache-Control": "no-cache"} | ({"ETag": f'"{info.etag}"'} if info.etag else {})
    if info.not_modified:
        return Response(status_code=304, headers=headers)
    return StreamingResponse(chunks_of(parts), headers=headers, media_type="application/json")
