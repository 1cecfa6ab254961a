"""The re-cut pipeline: the photo of an upload is cut out anew, where its user says that the product is."""

from dataclasses import dataclass

from gateway.errors import ApiError
from gateway.pipelines.journal import Journal
from gateway.pipelines.objects import read_object
from gateway.pipelines.upload import cut_out
from gateway.services import Services
from gateway.settings import GatewaySettings
from productimage.history.v1 import history_pb2
from productimage.segmentation.v1 import segmentation_pb2

STAGES = 4


@dataclass(frozen=True)
class Recut:
    """What the user wants.

    Attributes:
        timestamp: Of the upload.
        product_image_filename: Its photo's path, as the upload gave it.
        prompt: Points and a box, in the photo's pixels; the photo itself is put in here.
    """

    timestamp: str
    product_image_filename: str
    prompt: segmentation_pb2.CutOutRequest


async def recut(
    wanted: Recut, services: Services, settings: GatewaySettings, journal: Journal, request_id: str
) -> history_pb2.Upload:
    """Cut the product out again; when that fails, the cut-out stays as it was.

    Raises:
        ApiError: The request is wrong, or a stage failed.
    """
    journal.expected = STAGES
    async with journal.asking("history"):
        upload = await services.history.GetUpload(
            history_pb2.GetUploadRequest(timestamp=wanted.timestamp), timeout=settings.history_deadline_seconds
        )
    if wanted.product_image_filename != upload.upload.photo_path:
        raise ApiError(400, "product_image_filename is not the one that the upload of this timestamp gave.")
    async with journal.asking("history"):
        photo = await read_object(upload.upload.photo_path, services, settings)
    return await cut_out(photo, wanted.timestamp, wanted.prompt, services, settings, journal, request_id)
