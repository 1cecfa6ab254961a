"""The ads, and the list of all that were made."""

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import StringConstraints

from gateway.dependencies import Gateway, GatewayDependency
from gateway.models import ErrorBody, RecordBody
from gateway.pipelines.brief import Brief
from gateway.pipelines.generate import generate
from gateway.pipelines.stage import stage
from gateway.sizes import DEFAULT, OFFERED, chosen_sizes
from productimage.generation.v1 import generation_pb2
from productimage.history.v1 import history_pb2
from services.runtime.image import check

router = APIRouter(prefix="/api", tags=["product"])

PAGE_SIZE = 500


@router.post(
    "/generate-product",
    responses={status: {"model": ErrorBody} for status in (400, 404, 409, 413, 422, 429, 503, 504)},
)
async def generate_product(
    gateway: GatewayDependency,
    product_name: Annotated[
        str, StringConstraints(strip_whitespace=True), Form(min_length=1, max_length=100, examples=["保溫瓶"])
    ],
    target_audience: Annotated[
        str, Form(max_length=200, description="gender,age,interest", examples=["男性,25-34,戶外旅遊"])
    ],
    product_image_filename: Annotated[str, Form(max_length=300, description="`filename` of the upload's answer.")],
    timestamp: Annotated[str, Form(max_length=100, description="`timestamp` of the upload's answer.")],
    product_describe: Annotated[str, Form(max_length=5000, examples=["24小時保冷，不鏽鋼瓶身"])] = "",
    locale: Annotated[str, Form(max_length=20, description="Of the words: zh-TW or en.", examples=["zh-TW"])] = "",
    sizes: Annotated[
        str,
        Form(
            max_length=200,
            description=f"Of the ads, with commas between them: {', '.join(OFFERED)}. Empty: {', '.join(DEFAULT)}.",
            examples=["300x250,728x90"],
        ),
    ] = "",
    background_image: Annotated[
        UploadFile | None, File(description="A picture of your own as the background: a PNG, JPEG or WebP file.")
    ] = None,
) -> RecordBody:
    """Make ads and both texts of an uploaded photo: three sizes by default. The same again makes new ones."""
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
    return RecordBody.of(await generate(brief, gateway.services, gateway.settings))


@router.get("/history", responses={status: {"model": ErrorBody} for status in (503, 504)})
async def history(gateway: GatewayDependency) -> list[RecordBody]:
    """List everything that was made, oldest first; empty when there is nothing."""
    async with stage("history"):
        return [RecordBody.of(record) for record in await _all_records(gateway)]


async def _all_records(gateway: Gateway) -> list[history_pb2.Record]:
    records: list[history_pb2.Record] = []
    token = ""
    while True:
        page = await gateway.services.history.ListRecords(
            history_pb2.ListRecordsRequest(page_size=PAGE_SIZE, page_token=token),
            timeout=gateway.settings.history_deadline_seconds,
        )
        records += page.records
        token = page.next_page_token
        if not token:
            return records
