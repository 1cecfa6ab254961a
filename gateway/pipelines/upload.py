"""The upload pipeline: check the photo, store it, cut the product out, store the cut-out."""

import asyncio
import uuid

import structlog

from gateway.errors import ApiError
from gateway.pipelines.journal import Journal, sha256, sign
from gateway.pipelines.stage import stage
from gateway.services import Services
from gateway.settings import GatewaySettings
from productimage.history.v1 import history_pb2
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from services.runtime.executor import BoundedExecutor
from services.runtime.image import check
from services.runtime.work import no_deadline

log = structlog.get_logger()

STAGES = 3


async def upload(
    photo: bytes,
    filename: str,
    services: Services,
    settings: GatewaySettings,
    executor: BoundedExecutor,
    journal: Journal,
    request_id: str,
) -> history_pb2.Upload:
    """Take a photo in.

    Raises:
        ServiceError: The photo cannot be taken.
        ApiError: A stage failed; nothing is left behind. Nor is it when the caller hangs up.
    """
    await executor.run(check, photo, settings)
    journal.expected = STAGES
    async with journal.asking("history"):
        created = await services.history.CreateUpload(
            history_pb2.CreateUploadRequest(request_id=request_id, filename=filename, photo=photo),
            timeout=settings.history_deadline_seconds,
        )
    timestamp = created.upload.timestamp
    try:
        return await cut_out(
            photo, timestamp, segmentation_pb2.CutOutRequest(), services, settings, journal, request_id
        )
    except (ApiError, asyncio.CancelledError):
        await discard(timestamp, services, settings)
        raise


async def cut_out(
    photo: bytes,
    timestamp: str,
    prompt: segmentation_pb2.CutOutRequest,
    services: Services,
    settings: GatewaySettings,
    journal: Journal,
    request_id: str,
) -> history_pb2.Upload:
    """Cut the product out of an upload's photo, and store the cut-out; it replaces the one before.

    Args:
        photo: The file.
        timestamp: The upload's.
        prompt: Where the product is, if anybody knows; the photo is added here.
        services: The services.
        settings: The gateway's.
        journal: Gets the stages.
        request_id: Names the request to the history.

    Raises:
        ApiError: A stage failed.
    """
    request = segmentation_pb2.CutOutRequest(
        photo=image_pb2.Image(encoded=photo), encoding=image_pb2.IMAGE_ENCODING_PNG
    )
    request.MergeFrom(prompt)
    async with journal.making("cut-out") as entry:
        cut = await services.segmentation.CutOut(request, timeout=settings.cut_out_deadline_seconds)
        sign(entry, cut.engine)
        entry.inputs.append(sha256(photo))
        entry.outputs.append(sha256(cut.cutout))
    async with journal.asking("history"):
        stored = await services.history.PutCutout(
            history_pb2.PutCutoutRequest(
                request_id=request_id,
                timestamp=timestamp,
                cutout=cut.cutout.encoded,
                engine=cut.engine,
                stage=entry,
                product_aspect_ratio=(cut.bounds.right - cut.bounds.left) / (cut.bounds.bottom - cut.bounds.top),
            ),
            timeout=settings.history_deadline_seconds,
        )
    return stored.upload


async def discard(timestamp: str, services: Services, settings: GatewaySettings) -> bool:
    """Remove an upload without results after a failure; when that fails too, the sweep removes it later.

    Returns:
        Whether it was removed.
    """
    try:
        with no_deadline():
            async with stage("history"):
                answer = await services.history.DiscardUpload(
                    history_pb2.DiscardUploadRequest(request_id=uuid.uuid4().hex, timestamp=timestamp),
                    timeout=settings.history_deadline_seconds,
                )
    except ApiError:
        log.warning("upload left to the sweep", timestamp=timestamp)
        return False
    return answer.discarded
