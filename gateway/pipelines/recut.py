"""The recut pipeline: cut the photo of an upload out again, where the user says the product is."""

from gateway.pipelines.photo import Prompt, cut_out, find_upload
from gateway.pipelines.run import Run
from productimage.upload.v1 import upload_pb2

STAGES = 4


async def recut(run: Run, timestamp: str, photo_path: str, prompt: Prompt) -> upload_pb2.Upload:
    """Cut the product out again; if that fails, the earlier cutout stays.

    Args:
        run: The run.
        timestamp: Timestamp of the upload.
        photo_path: Path of the photo, as the upload returned it.
        prompt: Where the product is.

    Raises:
        ApiError: The request is wrong, or a stage failed.
    """
    run.progress.expected = STAGES
    found = await find_upload(run, timestamp, photo_path)
    async with run.stage("history", recorded=False):
        photo = await run.clients.objects.read_object(found.upload.photo_path)
    return await cut_out(run, photo, timestamp, prompt)
