"""Generating ads."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from pydantic import BaseModel, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from common.imaging.header import KINDS, check_header
from gateway.ad_sizes import DEFAULT, OFFERED, PATTERN, parse_sizes
from gateway.models import BINARY, TIMESTAMP, ErrorBody, RecordBody, SizesBody
from gateway.pipelines.brief import Brief
from gateway.pipelines.generate import generate
from gateway.routes.jobs import EVENTS, Job, respond
from gateway.state import GatewayDependency, IdempotencyKey
from productimage.generation.v1 import generation_pb2

router = APIRouter(prefix="/api", tags=["product"])

# For the OpenAPI description: what does not match is rejected further on, with a more helpful text.
LOCALE = "^(zh-TW|en)?$"


class GenerateForm(BaseModel):
    """The form of a generation."""

    product_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] = Field(
        examples=["保溫瓶"], json_schema_extra={"pattern": r"\S"}
    )
    target_audience: str = Field(
        min_length=1, max_length=200, description="gender,age,interest", examples=["男性,25-34,戶外旅遊"]
    )
    product_image_filename: str = Field(
        min_length=1, max_length=300, description="`filename` from the response to the upload."
    )
    timestamp: str = Field(
        min_length=1,
        max_length=100,
        description="`timestamp` from the response to the upload.",
        json_schema_extra={"pattern": TIMESTAMP},
    )
    product_describe: str = Field("", max_length=5000, examples=["24小時保冷，不鏽鋼瓶身"])
    locale: str = Field(
        "",
        max_length=20,
        description="Language of the copy: zh-TW or en.",
        examples=["zh-TW"],
        json_schema_extra={"pattern": LOCALE},
    )
    sizes: str = Field(
        "",
        max_length=200,
        description=f"Sizes of the ads, separated by commas: {', '.join(OFFERED)}. Empty: {', '.join(DEFAULT)}.",
        examples=["300x250,728x90"],
        json_schema_extra={"pattern": PATTERN},
    )
    background_image: UploadFile | SkipJsonSchema[None] = File(
        None,
        description=f"Picture of your own to use as the background: a {KINDS} file.",
        json_schema_extra=BINARY,
    )

    def parts(self, background: bytes) -> tuple[str | bytes, ...]:
        """Return everything that is asked for, for the fingerprint of the request."""
        return (
            "generate",
            *(self.timestamp, self.product_image_filename, self.product_name, self.product_describe),
            *(self.target_audience, self.locale, self.sizes),
            background,
        )


@router.post(
    "/generate-product",
    response_model=RecordBody,
    responses=EVENTS | {status: {"model": ErrorBody} for status in (400, 404, 408, 409, 413, 422, 429, 503, 504)},
)
async def generate_product(
    request: Request,
    gateway: GatewayDependency,
    form: Annotated[GenerateForm, Form(media_type="multipart/form-data")],
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Make ads and copy from an uploaded photo: three sizes by default. Repeating the request makes new ones.

    With `Accept: text/event-stream`, `progress` events report the stages, followed by a `result` or an `error`.
    """
    user_background = await form.background_image.read() if form.background_image else b""
    if form.background_image:
        await gateway.executor.run(check_header, user_background, gateway.settings)
    brief = Brief(
        timestamp=form.timestamp,
        product_image_filename=form.product_image_filename,
        product=generation_pb2.Product(name=form.product_name, description=form.product_describe),
        audience=gateway.audiences.parse(form.target_audience),
        target_audience=form.target_audience,
        locale=form.locale,
        sizes=parse_sizes(form.sizes),
        user_background=user_background,
    )
    return await respond(
        request, gateway, Job(partial(generate, brief=brief), idempotency_key, form.parts(user_background))
    )


@router.get("/sizes")
async def sizes() -> SizesBody:
    """Return the ad sizes that are offered, and the ones made by default."""
    return SizesBody(offered=list(OFFERED), default=list(DEFAULT))
