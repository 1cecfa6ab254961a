"""A record as one file to keep: its ads, its texts, and how they were made."""

import io
import json
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from gateway.errors import calling
from gateway.models import RecordBody
from gateway.pipelines.objects import read_object
from gateway.services import Services
from gateway.settings import GatewaySettings
from services.runtime.executor import BoundedExecutor


async def archive(
    record: RecordBody, services: Services, settings: GatewaySettings, executor: BoundedExecutor
) -> bytes:
    """Make a zip file of a record.

    Raises:
        ApiError: A picture could not be read.
    """
    async with calling("history"):
        pictures = {path: await read_object(path, services, settings) for path in record.generated_images}
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
