"""Brand kits: logo, colours, typeface, tone and legal line of an advertiser."""

import re
from typing import Annotated, Any

from fastapi import File, Form, Path, Response, UploadFile
from pydantic import AfterValidator, BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from gateway.errors import calling
from gateway.models import BINARY, BrandBody, BrandsBody, ErrorBody
from gateway.routes.router import Router
from gateway.state import GatewayDependency
from productimage.brand.v1 import brand_pb2

router = Router(prefix="/api", tags=["brand"])

NAME = r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"


def _visible(name: str) -> str:
    if not re.match(NAME, name):
        raise ValueError("a brand's name has 1 to 40 visible characters")
    return name


Name = Annotated[
    str,
    AfterValidator(_visible),
    Path(
        min_length=1,
        max_length=40,
        description="Name of the brand.",
        examples=["露露"],
        json_schema_extra={"pattern": NAME},
    ),
]
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in (400, 404, 408, 413, 415, 422, 429, 503, 504)
}
COLOUR = "^(#[0-9A-Fa-f]{6})?$"


class BrandForm(BaseModel):
    """The form of a brand kit. What is left out is empty."""

    primary_colour: str = Field("", max_length=7, examples=["#C8102E"], json_schema_extra={"pattern": COLOUR})
    secondary_colour: str = Field("", max_length=7, examples=["#1B365D"], json_schema_extra={"pattern": COLOUR})
    font: str = Field("", max_length=10, description="sans or serif.", json_schema_extra={"pattern": "^(sans|serif)?$"})
    tone: str = Field(
        "",
        max_length=10,
        description="lively or calm; empty: that of the audience.",
        json_schema_extra={"pattern": "^(lively|calm)?$"},
    )
    legal: str = Field("", max_length=120, description="Legal line on every ad.")
    logo: UploadFile | SkipJsonSchema[None] = File(
        None,
        description="An SVG file of shapes alone, or a PNG or WebP file with transparency.",
        json_schema_extra=BINARY,
    )


@router.get("/brands", responses=ERRORS)
async def brands(gateway: GatewayDependency) -> BrandsBody:
    """Return the names of all brands."""
    async with calling("history"):
        return BrandsBody(names=await gateway.clients.brands.list_brands())


@router.get("/brands/{name}", responses=ERRORS)
async def brand(name: Name, gateway: GatewayDependency) -> BrandBody:
    """Return a brand."""
    async with calling("history"):
        return BrandBody.of(await gateway.clients.brands.get_brand(name))


@router.put("/brands/{name}", responses=ERRORS, openapi_extra={"requestBody": {"required": False}})
async def put_brand(
    name: Name, gateway: GatewayDependency, form: Annotated[BrandForm, Form(media_type="multipart/form-data")]
) -> BrandBody:
    """Store a brand, replacing one of the same name."""
    message = brand_pb2.Brand(
        name=name,
        logo=await form.logo.read() if form.logo else b"",
        primary_colour=form.primary_colour,
        secondary_colour=form.secondary_colour,
        font=form.font,
        tone=form.tone,
        legal=form.legal.strip(),
    )
    async with calling("history"):
        return BrandBody.of(await gateway.clients.brands.put_brand(message))


@router.delete("/brands/{name}", status_code=204, response_class=Response, responses=ERRORS)
async def delete_brand(name: Name, gateway: GatewayDependency) -> Response:
    """Delete a brand; deleting it again changes nothing. Ads that were made with it stay as they are."""
    async with calling("history"):
        await gateway.clients.brands.delete_brand(name)
    return Response(status_code=204)
