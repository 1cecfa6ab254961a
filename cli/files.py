"""Files written for a generation."""

import io
import json
import zipfile
from pathlib import Path

from cli.client import Body, Client

RECORD = "record.json"


async def save(record: Body, client: Client, folder: Path) -> list[Path]:
    """Write the ads, the copy and the record; the record comes last, so if it exists, everything does."""
    folder.mkdir(parents=True, exist_ok=True)
    if record.get("platforms"):
        return _unpack(await client.archive(record["sequence"]), folder)
    written = []
    for path in record["generated_images"]:
        written.append(folder / f"ad_{path.rpartition('_')[2]}")
        written[-1].write_bytes(await client.picture(path))
    texts = {"short_ad.txt": record["short_ad"], "long_ad.txt": record["long_ad"]}
    for name, text in {**texts, RECORD: json.dumps(record, ensure_ascii=False, indent=2)}.items():
        written.append(folder / name)
        written[-1].write_text(text + "\n", encoding="utf-8")
    return written


def _unpack(archive: bytes, folder: Path) -> list[Path]:
    """Write the files of an archive: those for platforms in a folder each; the record comes last."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        names = sorted(packed.namelist(), key=lambda name: name == RECORD)
        return [Path(packed.extract(name, folder)) for name in names]  # extract keeps within the folder
