"""Steps on the photo of an upload that several pipelines take: find it, cut its product out, discard it."""

from dataclasses import dataclass

import structlog

from gateway.errors import ApiError, unusable
from gateway.pipelines.run import Run, set_engine
from productimage import ProductImageError
from productimage.context import no_deadline
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from productimage.upload.v1 import upload_pb2

log = structlog.get_logger()

BY_HAND = "CHANGED_BY_HAND"
"""Note in the manifest; nothing that people need to be told."""


@dataclass(frozen=True)
class Prompts:
    """What a person marked in a photo, in its pixels.

    Attributes:
        points: On or off the product.
        box: Around the product.
        strokes: Of a brush.
        base: Cutout to add to and take away from, a PNG file; empty: the prompts say where the product is.
    """

    points: tuple[segmentation_pb2.PromptPoint, ...] = ()
    box: image_pb2.Box | None = None
    strokes: tuple[segmentation_pb2.Stroke, ...] = ()
    base: bytes = b""


async def find_upload(
    run: Run, timestamp: str, photo_path: str, *, without_cutout: bool = False
) -> upload_pb2.GetUploadResponse:
    """Return an upload with its cutout.

    Args:
        run: The run.
        timestamp: Timestamp of the upload.
        photo_path: Path of the photo, as the upload returned it.
        without_cutout: Whether one without a cutout is returned, too.

    Raises:
        ApiError: The path is of another photo, or the call failed.
    """
    async with run.stage("history", recorded=False):
        found = await run.clients.uploads.get_upload(timestamp, without_cutout=without_cutout)
    if photo_path != found.upload.photo_path:
        raise ApiError(400, "product_image_filename is not the one that the upload with this timestamp returned.")
    return found


async def cut_out(run: Run, photo: bytes, timestamp: str, prompts: Prompts) -> upload_pb2.Upload:
    """Cut the product out of the photo of an upload, and store the cutout in place of an earlier one.

    Args:
        run: The run.
        photo: The file.
        timestamp: Timestamp of the upload.
        prompts: What a person marked, if anything.

    Raises:
        ApiError: A stage failed.
    """
    async with run.stage("cut-out") as stage:
        cut = await run.clients.segmentation.cut_out(
            photo,
            points=prompts.points,
            box=prompts.box,
            base_mask=image_pb2.Image(encoded=prompts.base) if prompts.base else None,
            strokes=prompts.strokes,
        )
        set_engine(stage, cut.engine)
        stage.notes.extend([*cut.notes, *([BY_HAND] if prompts.base or prompts.strokes else [])])
        given, made = await run.sha256(photo, cut.cutout)
        stage.inputs.append(given)
        stage.outputs.append(made)
    width, height = cut.bounds.right - cut.bounds.left, cut.bounds.bottom - cut.bounds.top
    if width <= 0 or height <= 0 or not cut.cutout.encoded:
        raise unusable("cut-out")
    async with run.stage("history", recorded=False):
        return await run.clients.uploads.put_cutout(
            upload_pb2.PutCutoutRequest(
                timestamp=timestamp,
                cutout=cut.cutout.encoded,
                engine=cut.engine,
                stage=stage,
                product_aspect_ratio=width / height,
            )
        )


async def discard(run: Run, timestamp: str) -> bool:
    """Remove an upload without results after a failure; if that fails too, the stale sweep removes it.

    Returns:
        Whether it was removed.
    """
    try:
        with no_deadline():
            return await run.clients.uploads.discard_upload(timestamp)
    except ProductImageError as error:
        log.warning("upload not discarded; the stale sweep will remove it", timestamp=timestamp, code=error.code.name)
        return False
