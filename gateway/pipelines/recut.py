"""The recut pipeline: change the cutout of an upload by hand, cut its photo out again, or return to another cutout."""

from dataclasses import dataclass, replace
from typing import Literal

from gateway.pipelines.photo import Prompts, cut_out, find_upload
from gateway.pipelines.run import Run
from productimage.upload.v1 import upload_pb2

STAGES = 4
Direction = Literal["earlier", "later"]


@dataclass(frozen=True)
class Change:
    """What to do with a cutout.

    Attributes:
        prompts: What to add and take away, or where the product is.
        start_over: Forget the cutout that there is.
        revert: Return to another cutout instead.
    """

    prompts: Prompts
    start_over: bool = False
    revert: Direction | None = None


async def recut(run: Run, timestamp: str, photo_path: str, change: Change) -> upload_pb2.Upload:
    """Change the cutout of an upload; if that fails, the earlier one stays.

    Args:
        run: The run.
        timestamp: Timestamp of the upload.
        photo_path: Path of the photo, as the upload returned it.
        change: What to do.

    Raises:
        ApiError: The request is wrong, or a stage failed.
    """
    run.progress.expected = 1 if change.revert else STAGES
    found = await find_upload(run, timestamp, photo_path, without_cutout=True)
    if change.revert:
        async with run.stage("history", recorded=False):
            return await run.clients.uploads.revert_cutout(found.upload, to_later=change.revert == "later")
    async with run.stage("history", recorded=False):
        photo = await run.clients.objects.read_object(found.upload.photo_path)
    base = b"" if change.start_over else found.cutout
    return await cut_out(run, photo, timestamp, replace(change.prompts, base=base))
