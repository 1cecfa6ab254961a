"""A record as one file to keep: its creatives, its copy, and how they were made.

A record made for platforms has a folder for each, with the pictures it takes, named after the product, and a CSV file
with its text fields. Pictures that belong to no platform lie beside them.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from common.platforms import platforms
from common.serving.executor import BoundedExecutor
from common.words import half_widths
from gateway.errors import calling
from gateway.models import RecordBody
from productimage import ObjectClient

COLUMNS = ("platform", "field", "text", "half_widths", "most_half_widths")


async def archive(record: RecordBody, objects: ObjectClient, executor: BoundedExecutor, platform: str = "") -> bytes:
    """Return a zip file of a record, or of what it has for one platform.

    Raises:
        ApiError: A picture could not be read.
    """
    packed = _of_platform(record, platform) if platform else record
    async with calling("history"):
        pictures = {path: await objects.read_object(path) for path in packed.generated_images}
    return await executor.run(_zip, packed, pictures, _json(record) + "\n")


def _of_platform(record: RecordBody, platform: str) -> RecordBody:
    taken = {rule.name for rule in platforms()[platform].pictures}
    return record.model_copy(
        update={
            "platforms": [platform],
            "generated_images": [path for path in record.generated_images if _size(PurePosixPath(path)) in taken],
            "texts": [field for field in record.texts or () if field.platform == platform],
        }
    )


def _size(path: PurePosixPath) -> str:
    return path.stem.rpartition("_")[2]


def _zip(record: RecordBody, pictures: dict[str, bytes], whole: str) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_STORED) as file:
        for path, picture in pictures.items():
            for name in _names(record, PurePosixPath(path)):
                file.writestr(name, picture)
        texts = {"short_ad.txt": record.short_ad + "\n", "long_ad.txt": record.long_ad + "\n"}
        for name in record.platforms or ():
            rows = [field for field in record.texts or () if field.platform == name]
            if rows:
                texts[f"{name}/texts.csv"] = _table(record, name)
        texts["record.json"] = whole
        for name, text in texts.items():
            file.writestr(name, text, ZIP_DEFLATED)
    return packed.getvalue()


def _names(record: RecordBody, path: PurePosixPath) -> Iterator[str]:
    """Return the names of a picture: one in the folder of each platform that takes it, else one of its own."""
    size = _size(path)
    taking = [name for name in record.platforms or () if size in {rule.name for rule in platforms()[name].pictures}]
    product = re.sub(r"[^\w-]+", "-", record.product_name)[:40].strip("-") or "product"
    yield from (f"{name}/{product}_{size}{path.suffix}" for name in taking)
    if not taking:
        yield f"ad_{size}{path.suffix}"


def _table(record: RecordBody, platform: str) -> str:
    """Return the text fields of a platform as a table with a byte order mark, for spreadsheets."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for field in record.texts or ():
        if field.platform == platform:
            most = platforms()[platform].texts[field.name].width
            writer.writerows((platform, field.name, text, half_widths(text), most) for text in field.texts)
    return "\ufeff" + table.getvalue()


def _json(record: RecordBody) -> str:
    return json.dumps(record.model_dump(exclude_none=True), ensure_ascii=False, indent=2)
