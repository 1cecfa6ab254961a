"""The product photo."""

from typing import Annotated

from fastapi import APIRouter, File, UploadFile

from gateway.dependencies import GatewayDependency
from gateway.models import ErrorBody, UploadBody
from gateway.pipelines.upload import upload

router = APIRouter(prefix="/api", tags=["product"])


@router.post(
    "/upload-image",
    responses={status: {"model": ErrorBody} for status in (400, 413, 422, 429, 503, 504)},
)
async def upload_image(
    gateway: GatewayDependency,
    product_image: Annotated[UploadFile, File(description="The product photo: a PNG, JPEG or WebP file.")],
) -> UploadBody:
    """Take a product photo in and cut the product out; answers when the cut-out is there."""
    stored = await upload(
        await product_image.read(),
        product_image.filename or "",
        gateway.services,
        gateway.settings,
        gateway.executor,
    )
    return UploadBody(filename=stored.photo_path, timestamp=stored.timestamp, trans_path=stored.cutout_path)
