"""The product photo."""

from typing import Annotated

from fastapi import APIRouter, File, Request, Response, UploadFile

from gateway.dependencies import GatewayDependency, IdempotencyKey
from gateway.models import ErrorBody, UploadBody
from gateway.pipelines.journal import Journal
from gateway.pipelines.once import claimed, fingerprint
from gateway.pipelines.upload import upload
from gateway.routes.progress import EVENTS, run_pipeline

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
        return UploadBody(filename=stored.photo_path, timestamp=stored.timestamp, trans_path=stored.cutout_path)

    return await run_pipeline(request, pipeline, gateway.settings)
