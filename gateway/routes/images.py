"""The product photo."""

import uuid
from typing import Annotated

from fastapi import APIRouter, File, Request, Response, UploadFile

from gateway.dependencies import GatewayDependency, IdempotencyKey
from gateway.models import ErrorBody, RecutBody, UploadBody
from gateway.pipelines.journal import Journal
from gateway.pipelines.once import claimed, fingerprint
from gateway.pipelines.recut import Recut, recut
from gateway.pipelines.upload import upload
from gateway.routes.progress import EVENTS, run_pipeline
from productimage.history.v1 import history_pb2
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2

router = APIRouter(prefix="/api", tags=["product"])


@router.post(
    "/upload-image",
    response_model=UploadBody,
    responses=EVENTS | {status: {"model": ErrorBody} for status in (400, 408, 409, 413, 422, 429, 503, 504)},
)
async def upload_image(
    request: Request,
    gateway: GatewayDependency,
    product_image: Annotated[UploadFile, File(description="The product photo: a PNG, JPEG or WebP file.")],
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Take a product photo in and cut the product out; answers when the cut-out is there.

    With `Accept: text/event-stream`, `progress` events tell of the stages, then a `result` or an `error` follows.
    """
    photo, filename = await product_image.read(), product_image.filename or ""

    async def pipeline(journal: Journal) -> UploadBody:
        services, settings = gateway.services, gateway.settings
        async with claimed(idempotency_key, fingerprint("upload", filename, photo), services, settings) as claim:
            stored = claim.upload
            if stored is None:
                stored = await upload(photo, filename, services, settings, gateway.executor, journal, claim.request_id)
        return _body(stored)

    return await run_pipeline(request, pipeline, gateway.settings)


@router.post(
    "/cut-out",
    response_model=UploadBody,
    responses=EVENTS | {status: {"model": ErrorBody} for status in (400, 404, 408, 413, 422, 429, 503, 504)},
)
async def cut_out(request: Request, gateway: GatewayDependency, wanted: RecutBody) -> Response:
    """Cut the product out of an uploaded photo again, by points or a box; the new cut-out replaces the one before.

    When nothing is found there, the one before stays.
    """
    prompt = segmentation_pb2.CutOutRequest(
        points=[
            segmentation_pb2.PromptPoint(at=image_pb2.Point(x=point.x, y=point.y), on_product=point.on_product)
            for point in wanted.points
        ],
        box=image_pb2.Box(**wanted.box.model_dump()) if wanted.box else None,
    )
    again = Recut(wanted.timestamp, wanted.product_image_filename, prompt)

    async def pipeline(journal: Journal) -> UploadBody:
        return _body(await recut(again, gateway.services, gateway.settings, journal, uuid.uuid4().hex))

    return await run_pipeline(request, pipeline, gateway.settings)


def _body(stored: history_pb2.Upload) -> UploadBody:
    return UploadBody(filename=stored.photo_path, timestamp=stored.timestamp, trans_path=stored.cutout_path)
