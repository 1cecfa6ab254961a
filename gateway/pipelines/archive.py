"""A record as one file to keep: its creatives, its copy, and how they were made."""

import io
import json
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from common.serving.executor import BoundedExecutor
from gateway.errors import calling
from gateway.models import RecordBody
from productimage import ObjectClient


async def archive(record: RecordBody, objects: ObjectClient, executor: BoundedExecutor) -> bytes:
    """Return a zip file of a record.

    Raises:
        ApiError: A picture could not be read.
    """
    async with calling("history"):
        pictures = {path: await objects.read_object(path) for path in record.generated_images}
    return await executor.run(_zip, record, pictures)


def _zip(record: RecordBody, pictures: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_STORED) as file:
        for path, picture in pictures.items():
            file.writestr(f"ad_{PurePosixPath(path).name.rpartition('_')[2]}", picture)
        texts = {"short_ad.txt": record.short_ad, "long_ad.txt": record.long_ad, "record.json": _json(record)}
        for name, text in texts.items():
            file.writestr(name, text + "\n", ZIP_DEFLATED)
    return packed.getvalue()


def _json(record: RecordBody) -> str:
    return json.dumps(record.model_dump(exclude_none=True), ensure_ascii=False, indent=2)
