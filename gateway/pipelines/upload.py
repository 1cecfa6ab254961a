"""The upload pipeline: check the photo, store it, cut the product out, store the cutout."""

from common.imaging.header import check_header
from gateway.errors import ApiError
from gateway.pipelines.photo import Prompts, cut_out, discard
from gateway.pipelines.run import Run
from productimage.upload.v1 import upload_pb2

STAGES = 3
NOTHING_FOUND = "NOTHING_FOUND"


async def upload(run: Run, photo: bytes, filename: str) -> upload_pb2.Upload:
    """Store a photo and cut its product out.

    Args:
        run: The run.
        photo: The file.
        filename: File name as the user gave it.

    Raises:
        InvalidInputError: The photo cannot be used.
        ApiError: A stage failed; nothing is left behind, as when the run is cancelled. If only no product was found,
            the upload stays, for marking by hand, and the error names it.
    """
    await run.executor.run(check_header, photo, run.settings)
    run.progress.expected = STAGES
    async with run.stage("history", recorded=False):
        created = await run.clients.uploads.create_upload(run.request_id, filename, photo)
    try:
        return await cut_out(run, photo, created.timestamp, Prompts())
    except BaseException as error:
        if isinstance(error, ApiError) and error.reason == NOTHING_FOUND:
            about = {"timestamp": created.timestamp, "filename": created.photo_path}
            raise ApiError(error.status, error.detail, error.reason, about=about) from error
        await discard(run, created.timestamp)
        raise
