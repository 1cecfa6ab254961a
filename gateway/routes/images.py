"""The product photo: upload it, and cut it out again."""

from functools import partial
from typing import Annotated

from fastapi import File, Path, Request, Response, UploadFile

from common.imaging.header import KINDS
from gateway.errors import calling
from gateway.models import BINARY, TIMESTAMP, BoxBody, ErrorBody, RecutBody, UploadBody
from gateway.pipelines.photo import Prompts
from gateway.pipelines.recut import Change, recut
from gateway.pipelines.upload import upload
from gateway.routes.jobs import EVENTS, Job, respond
from gateway.routes.router import Router
from gateway.state import GatewayDependency, IdempotencyKey
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2

router = Router(prefix="/api", tags=["product"])


Timestamp = Annotated[str, Path(description="Timestamp of an upload.", json_schema_extra={"pattern": TIMESTAMP})]


@router.post(
    "/upload-image",
    response_model=UploadBody,
    responses=EVENTS | {status: {"model": ErrorBody} for status in (400, 408, 409, 413, 422, 429, 503, 504)},
)
async def upload_image(
    request: Request,
    gateway: GatewayDependency,
    product_image: Annotated[UploadFile, File(description=f"Product photo: a {KINDS} file.", json_schema_extra=BINARY)],
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Upload a product photo and cut the product out; responds when the cut-out is ready.

    With `Accept: text/event-stream`, `progress` events report the stages, followed by a `result` or an `error`.
    """
    photo, filename = await product_image.read(), product_image.filename or ""
    job = Job(partial(upload, photo=photo, filename=filename), idempotency_key, ("upload", filename, photo))
    return await respond(request, gateway, job)


@router.post(
    "/cut-out",
    response_model=UploadBody,
    responses=EVENTS | {status: {"model": ErrorBody} for status in (400, 404, 408, 413, 422, 429, 503, 504)},
)
async def cut_out(request: Request, gateway: GatewayDependency, body: RecutBody) -> Response:
    """Change a cut-out by hand: points, a box and strokes add to it and take away from it.

    `start_over` cuts the photo out from scratch, `revert` undoes and redoes. If nothing is found, the cut-out stays.
    """
    change = Change(_prompts(body), body.start_over, body.revert)
    pipeline = partial(recut, timestamp=body.timestamp, photo_path=body.product_image_filename, change=change)
    return await respond(request, gateway, Job(pipeline))


def _prompts(body: RecutBody) -> Prompts:
    points = (
        segmentation_pb2.PromptPoint(at=image_pb2.Point(x=point.x, y=point.y), on_product=point.on_product)
        for point in body.points
    )
    strokes = (
        segmentation_pb2.Stroke(
            region=image_pb2.Region(box=_box(one.box), mask=image_pb2.Image(encoded=one.mask)),
            on_product=one.on_product,
        )
        for one in body.strokes
    )
    return Prompts(tuple(points), _box(body.box) if body.box else None, tuple(strokes))


def _box(body: BoxBody) -> image_pb2.Box:
    return image_pb2.Box(**body.model_dump())


@router.get(
    "/uploads/{timestamp}", responses={status: {"model": ErrorBody} for status in (400, 404, 409, 422, 429, 503, 504)}
)
async def get_upload(timestamp: Timestamp, gateway: GatewayDependency) -> UploadBody:
    """Return an uploaded photo with its present cut-out, to make more ads of it."""
    async with calling("history"):
        found = await gateway.clients.uploads.get_upload(timestamp)
    return UploadBody.of(found.upload)


@router.delete(
    "/uploads/{timestamp}",
    status_code=204,
    response_class=Response,
    responses={status: {"model": ErrorBody} for status in (400, 404, 409, 429, 503, 504)},
)
async def delete_upload(timestamp: Timestamp, gateway: GatewayDependency) -> Response:
    """Delete a photo with its cut-out, and every record and ad that was made from it."""
    async with calling("history"):
        await gateway.clients.uploads.delete_upload(timestamp)
    gateway.pictures.forget(f"{timestamp}/")
    return Response(status_code=204)
