"""The audience: the choices offered, and the counts of an uploaded list."""

from dataclasses import asdict
from typing import Annotated

from fastapi import File, Query, Request, Response, UploadFile

from gateway.models import BINARY, AudienceBody, AudienceCounts, ChartBody, ErrorBody
from gateway.routes.router import Router
from gateway.state import GatewayDependency, gateway_of

router = Router(prefix="/api", tags=["audience"])

_OPTIONS_EXAMPLE = {
    "gender": {"option1": "男性", "option2": "女性"},
    "age": {"option1": "18-24", "option2": "25-34"},
    "interest": {"option1": "運動體育", "option2": "寵物生活"},
}


@router.get(
    "/target-audiences",
    response_model=dict[str, dict[str, str]],
    responses={200: {"content": {"application/json": {"example": _OPTIONS_EXAMPLE}}}},
)
async def target_audiences(request: Request) -> Response:
    """Return the choices of each audience category."""
    return Response(gateway_of(request).audiences.options_json, media_type="application/json")


@router.get("/audience", responses={status: {"model": ErrorBody} for status in (422, 429)})
async def audience(
    gateway: GatewayDependency,
    text: Annotated[
        str, Query(max_length=200, description="In people's words: women, 30, hiking.", examples=["women, 30, hiking"])
    ],
) -> AudienceBody:
    """Return the choices that a text names; 不限, everybody, where it names none."""
    return AudienceBody(**gateway.audiences.understand(text))


@router.post("/upload-audience", responses={status: {"model": ErrorBody} for status in (400, 408, 413, 422, 429)})
async def upload_audience(
    gateway: GatewayDependency,
    file: Annotated[
        UploadFile,
        File(description="A table with a `uid` column, as CSV.", json_schema_extra=BINARY),
    ],
) -> AudienceCounts:
    """Count the audience of a list of users; unknown users are skipped."""
    charts = await gateway.executor.run(gateway.audiences.count, await file.read())
    return AudienceCounts(**{f"{name}_data": ChartBody(**asdict(chart)) for name, chart in charts.items()})
