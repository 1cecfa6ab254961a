"""The upload pipeline: check the photo, store it, cut the product out, store the cutout."""

from common.imaging.header import check_header
from gateway.pipelines.photo import Prompt, cut_out, discard
from gateway.pipelines.run import Run
from productimage.upload.v1 import upload_pb2

STAGES = 3


async def upload(run: Run, photo: bytes, filename: str) -> upload_pb2.Upload:
    """Store a photo and cut its product out.

    Args:
        run: The run.
        photo: The file.
        filename: File name as the user gave it.

    Raises:
        InvalidInputError: The photo cannot be used.
        ApiError: A stage failed; nothing is left behind, as when the run is cancelled.
    """
    await run.executor.run(check_header, photo, run.settings)
    run.progress.expected = STAGES
    async with run.stage("history", recorded=False):
        created = await run.clients.uploads.create_upload(run.request_id, filename, photo)
    try:
        return await cut_out(run, photo, created.timestamp, Prompt())
    except BaseException:
        await discard(run, created.timestamp)
        raise
