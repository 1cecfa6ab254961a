"""Generating ads."""

from collections.abc import Iterable
from functools import cache, partial
from typing import Annotated

from fastapi import File, Form, Request, Response, UploadFile
from pydantic import BaseModel, Field, StrictBool, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from common.imaging.header import KINDS, check_header
from common.platforms import platforms
from common.styles import styles
from gateway.ad_sizes import DEFAULT, OFFERED, PATTERN, PLATFORMS, SETS, check_together, parse_platforms, parse_sizes
from gateway.layouts import LAYOUTS
from gateway.layouts import PATTERN as LAYOUT
from gateway.models import (
    BINARY,
    TIMESTAMP,
    ErrorBody,
    EstimateBody,
    PlatformBody,
    RecordBody,
    SizesBody,
)
from gateway.pipelines.brief import FORMATS, Brief
from gateway.pipelines.costs import estimate
from gateway.pipelines.generate import generate
from gateway.routes.choices import choice
from gateway.routes.jobs import EVENTS, Job, respond
from gateway.routes.router import Router
from gateway.state import GatewayDependency, IdempotencyKey, gateway_of
from productimage.generation.v1 import generation_pb2
from productimage.text.v1 import text_pb2

router = Router(prefix="/api", tags=["product"])

# For the OpenAPI description: what does not match is rejected further on, with a more helpful text.
LOCALE = "^(zh-TW|en)?$"


class Choices(BaseModel):
    """What is chosen for ads, whether they are made or their costs are asked for."""

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
        description=f"Sizes of the ads, separated by commas: platforms ({', '.join(SETS)}), which also get their text"
        f" fields, or pixels. Empty: {', '.join(DEFAULT)}.",
        examples=["google,728x90"],
        json_schema_extra={"pattern": PATTERN},
    )
    texts: str = Field(
        "",
        max_length=100,
        description="Further platforms whose text fields are wanted, separated by commas.",
        examples=["line"],
        json_schema_extra={"pattern": PLATFORMS},
    )
    layout: str = Field(
        "",
        max_length=20,
        description="Where the words stand: none, auto (the best for each size), or left, right, top, bottom. With a"
        " layout, a headline and a button that are not given come from the copy. Empty: none, or auto for the words"
        " that are given.",
        examples=["auto"],
        json_schema_extra={"pattern": LAYOUT},
    )
    format: str = Field(
        "",
        max_length=10,
        description="File format of the ads: jpeg, webp or png; jpeg where a platform asked for by name does not take"
        " it. Empty: as the service is configured.",
        json_schema_extra={"pattern": f"^({'|'.join(FORMATS)})$"},
    )
    style: str = Field(
        "",
        max_length=30,
        description="Name of a style, as `GET /api/styles` lists them.",
        examples=["seaside"],
        json_schema_extra={"pattern": f"^({'|'.join(styles())})?$"},
    )


class GenerateForm(Choices):
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
    headline: str = Field("", max_length=60, description="Headline on the ads.", examples=["冷一整天"])
    call_to_action: str = Field("", max_length=30, description="Button on the ads.", examples=["立即選購"])
    price: str = Field("", max_length=20, description="Price or badge on the ads.", examples=["NT$1,280"])
    legal: str = Field("", max_length=120, description="Legal line on the ads; empty: that of the brand.")
    brand: str = Field("", max_length=40, description="Name of a stored brand.", examples=["露露"])
    scene: str = Field(
        "",
        max_length=300,
        description="What the picture around the product is to show, in your own words; empty: what suits the audience."
        " Rendered sets show the nearest that they have.",
        examples=["on a beach at sunset"],
    )
    avoid: str = Field("", max_length=300, description="What it is not to show.", examples=["flowers"])
    background_image: UploadFile | SkipJsonSchema[None] = File(
        None,
        description=f"Picture of your own to use as the background: a {KINDS} file.",
        json_schema_extra=BINARY,
    )

    @property
    def platforms(self) -> tuple[str, ...]:
        """Platforms that are named.

        Raises:
            InvalidInputError: One is unknown.
        """
        return parse_platforms(self.sizes, self.texts)

    def parts(self, background: bytes) -> tuple[str | bytes, ...]:
        """Return everything that is asked for, for the fingerprint of the request."""
        return (
            "generate",
            *(self.timestamp, self.product_image_filename, self.product_name, self.product_describe),
            *(self.target_audience, self.locale, self.sizes),
            *(self.texts, self.headline, self.call_to_action, self.price, self.legal),
            *(self.layout, self.brand, self.format),
            *(self.scene, self.avoid, self.style),
            background,
        )


class EstimateForm(Choices):
    """What ads to estimate the costs of."""

    product_name: str = Field("product", min_length=1, max_length=100)
    target_audience: str = Field("", max_length=200, description="gender,age,interest; empty: everybody.")
    locale: str = Field("", max_length=20, description="Language of the copy: zh-TW or en.", pattern=LOCALE)
    own_background: StrictBool = Field(False, description="Whether a picture of your own is the background.")


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
    sizes, file_format = parse_sizes(form.sizes), _format(form.format, form.platforms)
    check_together(sizes, file_format, gateway.settings.max_message_bytes)
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
        sizes=sizes,
        user_background=user_background,
        platforms=form.platforms,
        words=text_pb2.Words(
            headline=form.headline, call_to_action=form.call_to_action, price=form.price, legal=form.legal
        ),
        layout=choice("layout", form.layout, LAYOUTS),
        brand=form.brand.strip(),
        file_format=file_format,
        preferences=text_pb2.Preferences(
            scene=form.scene.strip(), avoid=form.avoid.strip(), style=choice("style", form.style, styles())
        ),
    )
    return await respond(
        request, gateway, Job(partial(generate, brief=brief), idempotency_key, form.parts(user_background))
    )


def _format(chosen: str, named: Iterable[str]) -> str:
    """Return the file format: the chosen one, or JPEG, which every platform takes, if a named one does not take it.

    Raises:
        InvalidInputError: It is not offered.
    """
    wanted = choice("format", chosen, FORMATS)
    is_taken = all(wanted in platforms()[name].formats for name in named)
    return wanted if is_taken else "jpeg"


@router.post("/estimate", responses={status: {"model": ErrorBody} for status in (400, 413, 422, 429, 503, 504)})
async def estimate_costs(form: EstimateForm, gateway: GatewayDependency) -> EstimateBody:
    """Return what a generation costs, before it is made, or what is wrong with the request. No model is asked."""
    choice("layout", form.layout, LAYOUTS)
    choice("style", form.style, styles())
    sizes, named = parse_sizes(form.sizes), parse_platforms(form.sizes, form.texts)
    check_together(sizes, _format(form.format, named), gateway.settings.max_message_bytes)
    brief = Brief(
        timestamp="",
        product_image_filename="",
        product=generation_pb2.Product(name=form.product_name, description=form.product_describe),
        audience=gateway.audiences.parse(form.target_audience),
        target_audience=form.target_audience,
        locale=form.locale,
        sizes=sizes,
        user_background=b"own" if form.own_background else b"",
        platforms=named,
    )
    expected = await estimate(gateway.clients.generation, brief, gateway.settings)
    prices = expected.prices
    return EstimateBody(
        least=round(expected.least, 4),
        most=round(expected.most, 4),
        pictures=expected.pictures,
        background_engine=prices.background_engine,
        copy_engine=prices.copy_engine,
        prices_read=prices.prices_read,
    )


@router.get("/sizes", response_model=SizesBody)
async def sizes(request: Request) -> Response:
    """Return the ad sizes of platforms, and the ones made by default. Any other size can be asked for by its pixels."""
    return Response(_sizes_json(gateway_of(request).settings.max_image_bytes), media_type="application/json")


@cache
def _sizes_json(most_photo_bytes: int) -> str:
    return SizesBody(
        offered=list(OFFERED),
        default=list(DEFAULT),
        platforms=[PlatformBody.of(name) for name in SETS],
        most_photo_bytes=most_photo_bytes,
    ).model_dump_json()
